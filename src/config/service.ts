import { optional } from "valibot";
import { secretVariable } from "./secret.ts";
import {
  headers,
  integerFrom,
  isHeaderValue,
  isHttpUrl,
  isPath,
  ONE_LINE,
  pathLike,
  stringThat,
} from "./values.ts";

const ADDRESS_WORDS =
  'an http or https URL without user name, query or fragment, such as "https://host.example/prod", or a local socket such as "unix:///run/service.sock", with a prefix of all paths "unix:///run/service.sock:/api"';

/** Bytes. Linux has no longer ones, and Node would connect to the path that is cut there. */
const LONGEST_SOCKET = 107;

/** The value of `base_url`. */
export const serviceAddress = stringThat(
  ADDRESS_WORDS,
  (value) => parseAddress(value) !== undefined,
);

export const MISSING_ADDRESS = `missing; must be ${ADDRESS_WORDS}`;

/** Undefined if it is not an address. As with nginx, the first `:/` ends the path of a socket. */
export function parseAddress(text: string) {
  if (isHttpUrl(text)) return { baseUrl: text, socketPath: undefined };
  const [, socketPath = "", prefix = ""] = /^unix:\/\/(\/.*?[^/])(?::(\/.*))?$/.exec(text) ?? [];
  const baseUrl = `http://localhost${prefix}`;
  if (!isPath(socketPath) || Buffer.byteLength(socketPath) > LONGEST_SOCKET) return undefined;
  return isHttpUrl(baseUrl) ? { baseUrl, socketPath } : undefined;
}

/** What `[engine]` and `[sources.NAME]` have for an HTTP service beside its address. */
export const SERVICE = {
  headers: optional(headers, {}),
  token_env: secretVariable,
  login_env: secretVariable,
  ca_file: optional(pathLike("/etc/ssl/site-ca.pem")),
  max_per_minute: optional(
    integerFrom(1, 1_000_000, "a whole number of requests from 1 to 1000000, such as 30"),
  ),
  user_agent: optional(
    stringThat(
      `${ONE_LINE}, such as "swf-alarms (ops@host.example)"`,
      (value) => value !== "" && isHeaderValue(value),
    ),
  ),
};
