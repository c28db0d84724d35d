import * as v from "valibot";
import { isAddress, splitRecipients } from "../core/recipients.ts";

/** What the configuration file may hold. Each message says what to write instead. */

const seconds = v.pipe(
  v.number("a number of seconds such as 20"),
  v.minValue(0.1, "a number of seconds of at least 0.1, such as 20"),
  v.maxValue(3600, "a number of seconds of at most 3600, such as 20"),
);
const mebibytes = v.pipe(
  v.number("a number of MiB such as 512"),
  v.integer("a whole number of MiB such as 512"),
  v.minValue(64, "a number of MiB of at least 64, such as 512"),
  v.maxValue(1_048_576, "a number of MiB of at most 1048576, such as 512"),
);
const count = v.pipe(
  v.number("a number such as 100000"),
  v.integer("a whole number such as 100000"),
  v.minValue(1, "a number of at least 1, such as 100000"),
  v.maxValue(10_000_000, "a number of at most 10000000, such as 100000"),
);
const MANY = "a whole number of connections from 1 to 30, such as 4";
const connections = v.pipe(
  v.number(MANY),
  v.integer(MANY),
  v.minValue(1, MANY),
  v.maxValue(30, MANY),
);
const url = v.pipe(
  v.string('a URL such as "https://host.example/prod"'),
  v.check(
    isHttpUrl,
    'an http or https URL without user name, query or fragment, such as "https://host.example/prod"',
  ),
);
/** Without control characters: no path, address or name of ours has any. */
const text = (example: string) =>
  v.pipe(
    v.string(`a text such as "${example}"`),
    v.regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, `a text such as "${example}"`),
  );

/** A dsn here by mistake would be shown, password and all, where the path is. */
const path = (example: string) =>
  v.pipe(
    text(example),
    v.check((value) => !value.includes("://"), `a path such as "${example}", no URL`),
  );

const FOLDERS = 'a folder such as "alarms", or a list like ["alarms", "/srv/team/alarms"]';

const A_COUNT = "a whole number of failures such as 3, or 0 for never";
const A_SHARE = "a share from 0 to 1 such as 0.8; 1 turns the guard off";
const A_WHILE = "a number of seconds such as 1800";
const DAYS = 'a whole number of days, like 14, or "forever"';
const OPERATORS = 'a list of addresses and @teams, like ["ops@host.example", "@ops"]';

/** How long rows are kept. 0 might mean at once as well as never, so it means nothing. */
const days = v.custom<number | "forever">(isDays, DAYS);

/** One table of `[sources]`. */
export const Source = v.object({
  base_url: url,
  headers: v.optional(
    v.record(
      v.pipe(
        v.string(),
        v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "a header name such as X-Example"),
      ),
      v.pipe(
        v.string('a text such as "value"'),
        v.check(isHeaderValue, "one line without letters beyond Latin-1"),
      ),
    ),
  ),
  token_env: v.optional(
    v.pipe(
      text("MY_SERVICE_TOKEN"),
      v.regex(
        /^[A-Za-z_][A-Za-z0-9_]*$/,
        'the name of an environment variable such as "MY_SERVICE_TOKEN"',
      ),
    ),
  ),
  max_connections: v.optional(connections),
  user_agent: v.optional(
    v.pipe(
      v.string('a text such as "swf-alarms (ops@host.example)"'),
      v.nonEmpty('a text such as "swf-alarms (ops@host.example)"'),
      v.check(isHeaderValue, "one line without letters beyond Latin-1"),
    ),
  ),
});

export const Schema = v.object({
  engine: v.optional(
    v.object({
      base_url: v.optional(url),
      swf_remote_base_url: v.optional(url),
      service_base_url: v.optional(url),
      request_timeout: v.optional(seconds),
      max_connections: v.optional(connections),
      alarm_timeout: v.optional(seconds),
      alarm_memory: v.optional(mebibytes),
      max_detections: v.optional(count),
      tick_timeout: v.optional(seconds),
      log_path: v.optional(path("/var/log/swf-alarms/run.log")),
      alarms_dir: v.optional(v.custom<string | readonly string[]>(isFolders, FOLDERS)),
      quarantine_after: v.optional(
        v.pipe(v.number(A_COUNT), v.integer(A_COUNT), v.minValue(0, A_COUNT)),
      ),
      clear_guard_share: v.optional(
        v.pipe(v.number(A_SHARE), v.minValue(0, A_SHARE), v.maxValue(1, A_SHARE)),
      ),
      unreachable_after: v.optional(v.pipe(v.number(A_WHILE), v.minValue(0, A_WHILE))),
    }),
  ),
  sources: v.optional(
    v.record(
      v.pipe(
        v.string(),
        v.regex(/^[a-z][a-z0-9_]*$/, "a source name of lower-case letters, digits and _"),
      ),
      Source,
    ),
  ),
  db: v.optional(
    v.object({
      dsn: v.optional(
        v.pipe(
          text("postgresql://user@host:5432/name"),
          v.check(isDsn, 'a URL such as "postgresql://user:password@host:5432/name"'),
        ),
      ),
      env_path: v.optional(path("/var/www/app/.env")),
      path: v.optional(path("state")),
    }),
  ),
  email: v.optional(
    v.object({
      provider: v.optional(v.picklist(["ses", "file"], '"ses" or "file"')),
      region: v.optional(
        v.pipe(text("us-east-1"), v.regex(/^[a-z0-9-]+$/, 'an AWS region such as "us-east-1"')),
      ),
      from: v.optional(
        v.pipe(
          v.string('a text such as "alarms@host.example"'),
          v.check(isSender, 'an address such as "alarms@host.example"'),
        ),
      ),
      endpoint: v.optional(url),
      dir: v.optional(path("outbox")),
      operators: v.optional(
        v.pipe(
          v.custom<string[]>(isListOfTexts, OPERATORS),
          v.check((tokens) => tokens.every(isRecipient), OPERATORS),
        ),
      ),
    }),
  ),
  retention: v.optional(
    v.object({
      engine_runs_days: v.optional(days),
      cleared_events_days: v.optional(days),
      notifications_days: v.optional(days),
    }),
  ),
});

/** The configuration file as it stands, each part of the right type. */
export type RawConfig = v.InferOutput<typeof Schema>;

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
  return isListOfTexts(paths) && paths.length > 0 && paths.every((item) => v.is(path(item), item));
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
