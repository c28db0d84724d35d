import { object, optional } from "valibot";
import { showPath } from "../config/issue.ts";
import { readSecret, secretFile, secretVariable } from "../config/secret.ts";
import { headerSecrets } from "../config/secrets.ts";
import { headers } from "../config/values.ts";
import { storedWebhookBody, webhookBody } from "../message/webhook_data.ts";
import type { Channel } from "./channel.ts";
import { channelType } from "./channel_type.ts";
import { deliverToHook, HOOK_SETTINGS, hookSecrets, readHook } from "./hook.ts";
import type { PostTarget } from "./http_post.ts";
import { githubSignature, parseKeys, SECRET_WORDS, signatureHeaders } from "./webhook_signature.ts";

/** JSON for another program, signed by Standard Webhooks. */
export const webhook = channelType(
  object({
    ...HOOK_SETTINGS,
    secret_env: secretVariable,
    secret_file: secretFile,
    github_secret_env: secretVariable,
    github_secret_file: secretFile,
    headers: optional(headers, {}),
  }),
  (settings, place) => {
    const target = readHook(settings, place);
    const { secret_env: env, secret_file: file } = settings;
    const secret = readSecret("secret", { env, file }, place);
    const keys = secret === undefined ? [] : parseKeys(secret);
    const github = readSecret(
      "github_secret",
      { env: settings.github_secret_env, file: settings.github_secret_file },
      place,
    );
    const key = env === undefined ? "secret_file" : "secret_env";
    if (keys === undefined)
      place.faults.push(`${showPath([...place.path, key])}: its value must be ${SECRET_WORDS}`);
    if (target === undefined || keys === undefined) return undefined;
    const own = settings.headers;
    return {
      target: target.url.origin,
      secrets: [
        ...hookSecrets(target),
        ...(secret?.split(/\s+/) ?? []),
        ...(github === undefined ? [] : [github]),
        ...headerSecrets(own),
      ],
      open: async () => webhookChannel({ target, keys, github, headers: own }),
    };
  },
);

export interface WebhookSettings {
  readonly target: PostTarget;
  readonly keys: readonly Buffer[];
  readonly github: string | undefined;
  readonly headers: { readonly [name: string]: string };
}

function webhookChannel({ target, keys, github, headers: own }: WebhookSettings): Channel {
  const lowerCased = Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]);
  const common: { readonly [name: string]: string } = Object.fromEntries(lowerCased);
  return {
    deliver: async (outgoing, signal) => {
      const { bundle, id } = outgoing;
      const body = bundle === undefined ? storedWebhookBody(outgoing) : webhookBody(bundle);
      const headers = {
        ...common,
        ...signatureHeaders(keys, id, Math.floor(Date.now() / 1000), body),
        ...(github !== undefined && { "x-hub-signature-256": githubSignature(github, body) }),
      };
      return await deliverToHook(target, outgoing, { headers, body }, signal);
    },
  };
}
