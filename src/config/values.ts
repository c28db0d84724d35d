import { custom, pipe, record } from "valibot";
import { isTable } from "./issue.ts";
import { homeFolder } from "./path.ts";

/** The kinds of values that settings have; the words say what a value must be. */

export function stringThat(words: string, isValid: (value: string) => boolean) {
  return custom<string>((value) => typeof value === "string" && isValid(value), `must be ${words}`);
}

export function numberFrom(min: number, max: number, words: string, is = Number.isFinite) {
  return custom<number>(
    (value) => is(value) && Number(value) >= min && Number(value) <= max,
    `must be ${words}`,
  );
}

export function integerFrom(min: number, max: number, words: string) {
  return numberFrom(min, max, words, Number.isInteger);
}

export const seconds = numberFrom(0.1, 3600, "a number of seconds from 0.1 to 3600, such as 20");

const NOT_IN_PATHS = `~user or $VARIABLE${homeFolder() ? "" : "; ~ needs a user with a home folder"}`;

/** A path, which a dsn typed there by mistake must not pass for: paths are shown. */
export function pathLike(example: string) {
  return stringThat(`a path such as "${example}", without ${NOT_IN_PATHS}`, isPath);
}

export function isPath(value: string): boolean {
  if (value.startsWith("~") && homeFolder() === undefined) return false;
  return /^(?!~[^/])[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(value) && !/:\/\/|\$[\w{(]/.test(value);
}

export const folders = custom<string | readonly string[]>((value) => {
  const paths: readonly unknown[] = Array.isArray(value) ? value : [value];
  return paths.length > 0 && paths.every((path) => typeof path === "string" && isPath(path));
}, `must be a folder such as "alarms", or a list such as ["alarms", "/srv/team/alarms"], without ${NOT_IN_PATHS}`);

const URL_WORDS =
  'an http or https URL without user name, query or fragment, such as "https://host.example/prod"';

export const httpUrl = stringThat(URL_WORDS, isHttpUrl);

/** Whether a text is the address of an HTTP server, behind which the paths of requests can be put. */
export function isHttpUrl(value: string): boolean {
  // The URL class would drop or accept these.
  if (!URL.canParse(value) || /[\s\p{Cc}?#]/u.test(value)) return false;
  const { protocol, username, password } = new URL(value);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

export const connections = integerFrom(1, 30, "a whole number of connections from 1 to 30");

export const ONE_LINE = "one line of Latin-1 text";

/** Whether a text fits into an HTTP header: one line of Latin-1. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** The HTTP client sets these itself. */
const OF_THE_CONNECTION =
  /^(connection|content-length|expect|host|keep-alive|transfer-encoding|upgrade)$/i;

/** A table of request headers. */
export const headers = pipe(
  custom<{ readonly [name: string]: unknown }>(isTable, "must be a table"),
  record(
    stringThat(
      "a header name such as X-Example that the engine does not set itself",
      (name) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !OF_THE_CONNECTION.test(name),
    ),
    stringThat(ONE_LINE, isHeaderValue),
  ),
);
