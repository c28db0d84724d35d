import { optional } from "valibot";
import type { SettingsPlace } from "../config/config.ts";
import { showPath } from "../config/issue.ts";
import { proxyFor } from "../config/proxy.ts";
import { readSecret, secretFile, secretVariable } from "../config/secret.ts";
import { numberFrom, stringThat } from "../config/values.ts";
import { type Delivery, type DeliveryError, delivered, undelivered } from "../core/delivery.ts";
import type { Outgoing } from "./channel.ts";
import { postError } from "./http_error.ts";
import { type HttpResponse, httpPost, type PostTarget } from "./http_post.ts";

const URL_WORDS =
  'an http or https URL without user name or fragment, such as "https://chat.example/hooks/KEY"';

/** The settings of a channel that posts to a hook: an address that is a secret. */
export const HOOK_SETTINGS = {
  url: optional(stringThat(URL_WORDS, isHookUrl)),
  url_env: secretVariable,
  url_file: secretFile,
  timeout: optional(numberFrom(1, 300, "a number of seconds from 1 to 300, such as 20"), 20),
};

interface HookSettings {
  readonly url?: string | undefined;
  readonly url_env?: string | undefined;
  readonly url_file?: string | undefined;
  readonly timeout: number;
}

/** Where a channel posts to; undefined after a fault. */
export function readHook(settings: HookSettings, place: SettingsPlace): PostTarget | undefined {
  const { url: inline, url_env: env, url_file: file, timeout } = settings;
  const { path, around, faults } = place;
  const fault = (key: string, words: string): undefined => {
    faults.push(`${showPath([...path, key])}: ${words}`);
  };
  const given = [inline, env, file].filter((each) => each !== undefined).length;
  if (given !== 1)
    return fault(
      "url_env",
      `${given === 0 ? "missing; " : ""}set exactly one of url_env, url_file and url`,
    );
  const text = inline ?? readSecret("url", { env, file }, place);
  if (text === undefined) return undefined;
  if (!isHookUrl(text))
    return fault(env === undefined ? "url_file" : "url_env", `its value must be ${URL_WORDS}`);
  return { url: new URL(text), proxy: proxyFor(text, around.env, faults), timeout };
}

function isHookUrl(text: string): boolean {
  // The URL class would drop or accept these.
  if (!URL.canParse(text) || /[\s\p{Cc}#]/u.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

/** The whole address, and what a receiver may quote alone: its path, if it is not made of words only, and long parts. */
export function hookSecrets({ url: { href, pathname, search } }: PostTarget): readonly string[] {
  const path = pathname + search;
  if (path === "/") return [];
  // Links in the texts of alarms have these paths too.
  if (/^(\/(v\d+|[a-z_-]{1,15}))+\/?$/.test(path)) return [href];
  return [href, path, ...path.split(/[/?&=]/).filter(({ length }) => length >= 16)];
}

/** Posts a notification. `confirm` may find that a response with status 2xx confirms nothing. */
export async function deliverToHook(
  target: PostTarget,
  { id, recipients }: Outgoing,
  request: { readonly headers?: { readonly [name: string]: string }; readonly body: string },
  signal: AbortSignal,
  confirm: (response: HttpResponse) => DeliveryError | undefined = () => undefined,
): Promise<Delivery> {
  const headers = {
    "user-agent": "swf-alarms",
    ...request.headers,
    "content-type": "application/json",
    "x-swf-notification": id,
  };
  const result = await httpPost(target, headers, request.body, signal);
  const error =
    postError(result, target, Date.now() / 1000) ??
    ("status" in result ? confirm(result) : undefined);
  return error === undefined ? delivered(recipients) : undelivered(recipients, error);
}
