import type { ConnectionSettings } from "./connections.ts";

/** What is configured of a REST service. */
export interface HttpSourceSettings
  extends Omit<ConnectionSettings, "origin" | "signal" | "onDate"> {
  /** Shown in messages; `main` is the service of `[engine]`. */
  readonly name: string;
  /** What speaks over HTTP; "http" by default. */
  readonly kind?: "http" | "xmlrpc" | undefined;
  /** Of a local socket `http://localhost` and the prefix of all paths. */
  readonly baseUrl: string;
  /** The header of that name, which has a token or a login; never shown. */
  readonly authorization?: string | undefined;
  readonly userAgent?: string | undefined;
  /** Requests that are sent in any 60 seconds; undefined: any number. */
  readonly maxPerMinute?: number | undefined;
}

const USER_AGENT = "swf-alarms";

/** In lower case, so that a configured header replaces the engine's own. */
export function requestHeaders(settings: HttpSourceSettings): { [name: string]: string } {
  const { headers, authorization, userAgent } = settings;
  const configured = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    "user-agent": userAgent ?? USER_AGENT,
    ...Object.fromEntries(configured),
    ...(authorization === undefined ? {} : { authorization }),
    "accept-encoding": "gzip, deflate, br",
  };
}
