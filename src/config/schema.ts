import {
  check,
  custom,
  type InferOutput,
  integer,
  is,
  maxValue,
  minValue,
  nonEmpty,
  number,
  object,
  optional,
  picklist,
  pipe,
  record,
  regex,
  string,
} from "valibot";
import { isAddress, splitRecipients } from "../core/recipients.ts";

/** What the configuration file may hold. Each message says what to write instead. */

const seconds = pipe(
  number("a number of seconds such as 20"),
  minValue(0.1, "a number of seconds of at least 0.1, such as 20"),
  maxValue(3600, "a number of seconds of at most 3600, such as 20"),
);
const mebibytes = pipe(
  number("a number of MiB such as 512"),
  integer("a whole number of MiB such as 512"),
  minValue(64, "a number of MiB of at least 64, such as 512"),
  maxValue(1_048_576, "a number of MiB of at most 1048576, such as 512"),
);
const count = pipe(
  number("a number such as 100000"),
  integer("a whole number such as 100000"),
  minValue(1, "a number of at least 1, such as 100000"),
  maxValue(10_000_000, "a number of at most 10000000, such as 100000"),
);
const MANY = "a whole number of connections from 1 to 30, such as 4";
const connections = pipe(number(MANY), integer(MANY), minValue(1, MANY), maxValue(30, MANY));
const url = pipe(
  string('a URL such as "https://host.example/prod"'),
  check(
    isHttpUrl,
    'an http or https URL without user name, query or fragment, such as "https://host.example/prod"',
  ),
);
/** Without control characters: no path, address or name of ours has any. */
const text = (example: string) =>
  pipe(
    string(`a text such as "${example}"`),
    regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, `a text such as "${example}"`),
  );

/** A dsn here by mistake would be shown, password and all, where the path is. */
const path = (example: string) =>
  pipe(
    text(example),
    check((value) => !value.includes("://"), `a path such as "${example}", no URL`),
  );

const FOLDERS = 'a folder such as "alarms", or a list like ["alarms", "/srv/team/alarms"]';

const A_COUNT = "a whole number of failures such as 3, or 0 for never";
const A_SHARE = "a share from 0 to 1 such as 0.8; 1 turns the guard off";
const A_WHILE = "a number of seconds such as 1800";
const DAYS = 'a whole number of days, like 14, or "forever"';
const OPERATORS = 'a list of addresses and @teams, like ["ops@host.example", "@ops"]';

/** How long rows are kept. 0 might mean at once as well as never, so it means nothing. */
const days = custom<number | "forever">(isDays, DAYS);

const OF_THE_CONNECTION = new Set(
  "connection content-length expect host keep-alive transfer-encoding upgrade".split(" "),
);

/** One table of `[sources]`. */
export const Source = object({
  base_url: url,
  headers: optional(
    record(
      pipe(
        string(),
        regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "a header name such as X-Example"),
        check(
          (name) => !OF_THE_CONNECTION.has(name.toLowerCase()),
          "another header; this one is about the connection, which is the engine's",
        ),
      ),
      pipe(
        string('a text such as "value"'),
        check(isHeaderValue, "one line without letters beyond Latin-1"),
      ),
    ),
  ),
  token_env: optional(
    pipe(
      text("MY_SERVICE_TOKEN"),
      regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        'the name of an environment variable such as "MY_SERVICE_TOKEN"',
      ),
    ),
  ),
  max_connections: optional(connections),
  user_agent: optional(
    pipe(
      string('a text such as "swf-alarms (ops@host.example)"'),
      nonEmpty('a text such as "swf-alarms (ops@host.example)"'),
      check(isHeaderValue, "one line without letters beyond Latin-1"),
    ),
  ),
});

export const Schema = object({
  engine: optional(
    object({
      base_url: optional(url),
      swf_remote_base_url: optional(url),
      service_base_url: optional(url),
      request_timeout: optional(seconds),
      max_connections: optional(connections),
      alarm_timeout: optional(seconds),
      alarm_memory: optional(mebibytes),
      max_detections: optional(count),
      tick_timeout: optional(seconds),
      log_path: optional(path("/var/log/swf-alarms/run.log")),
      alarms_dir: optional(custom<string | readonly string[]>(isFolders, FOLDERS)),
      quarantine_after: optional(pipe(number(A_COUNT), integer(A_COUNT), minValue(0, A_COUNT))),
      clear_guard_share: optional(
        pipe(number(A_SHARE), minValue(0, A_SHARE), maxValue(1, A_SHARE)),
      ),
      unreachable_after: optional(pipe(number(A_WHILE), minValue(0, A_WHILE))),
    }),
  ),
  sources: optional(
    record(
      pipe(
        string(),
        regex(/^[a-z][a-z0-9_]*$/, "a source name of lower-case letters, digits and _"),
      ),
      Source,
    ),
  ),
  db: optional(
    object({
      dsn: optional(
        pipe(
          text("postgresql://user@host:5432/name"),
          check(isDsn, 'a URL such as "postgresql://user:password@host:5432/name"'),
        ),
      ),
      env_path: optional(path("/var/www/app/.env")),
      path: optional(path("state")),
    }),
  ),
  email: optional(
    object({
      provider: optional(picklist(["ses", "file"], '"ses" or "file"')),
      region: optional(
        pipe(text("us-east-1"), regex(/^[a-z0-9-]+$/, 'an AWS region such as "us-east-1"')),
      ),
      from: optional(
        pipe(
          string('a text such as "alarms@host.example"'),
          check(isSender, 'an address such as "alarms@host.example"'),
        ),
      ),
      endpoint: optional(url),
      dir: optional(path("outbox")),
      operators: optional(
        pipe(
          custom<string[]>(isListOfTexts, OPERATORS),
          check((tokens) => tokens.every(isRecipient), OPERATORS),
        ),
      ),
    }),
  ),
  retention: optional(
    object({
      engine_runs_days: optional(days),
      cleared_events_days: optional(days),
      notifications_days: optional(days),
    }),
  ),
});

/** The configuration file as it stands, each part of the right type. */
export type RawConfig = InferOutput<typeof Schema>;

function isHttpUrl(value: string): boolean {
  // What the URL class would drop in silence; the paths of questions are put behind the text.
  if (!URL.canParse(value) || /[\s\p{Cc}?#]/u.test(value)) return false;
  const parsed = new URL(value);
  return (
    (parsed.protocol === "http:" || parsed.protocol === "https:") &&
    parsed.username === "" &&
    parsed.password === ""
  );
}

function isDsn(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

/** Whether a text fits into a header: one line, and no character that HTTP has no byte for. */
export function isHeaderValue(value: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** A hundred years are the most: what is kept longer is kept for ever. */
function isDays(value: unknown): boolean {
  if (value === "forever") return true;
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 36_500;
}

function isListOfTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** A path, or a list of at least one. */
function isFolders(value: unknown): boolean {
  const paths = typeof value === "string" ? [value] : value;
  return isListOfTexts(paths) && paths.length > 0 && paths.every((item) => is(path(item), item));
}

/** One address, or the name of a team. */
function isRecipient(token: string): boolean {
  if (splitRecipients(token).length !== 1) return false;
  return token.startsWith("@") ? token.length > 1 : isAddress(token);
}

/** A bare address, or `Name <address>`. */
function isSender(value: string): boolean {
  if (/\p{Cc}/u.test(value)) return false;
  const inBrackets = /<([^<>]*)>$/.exec(value)?.[1];
  return isAddress(inBrackets ?? value);
}
