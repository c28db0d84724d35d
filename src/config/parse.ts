import { isAbsolute, resolve } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import * as v from "valibot";
import { nearest } from "../core/nearest.ts";
import { isAddress } from "../core/recipients.ts";
import type { Config, DbConfig, EmailConfig, SourceConfig } from "./config.ts";
import { parseDbLogin } from "./db_login.ts";

/** Everything outside the text that its meaning depends on; read at the edge, given here as values. */
export interface Surroundings {
  /** Folder that relative paths start from: where the configuration file lies. */
  readonly folder: string;
  /** Where the shipped alarm modules lie, for a configuration that names no folder. */
  readonly shippedAlarms: string;
  readonly env: { readonly [name: string]: string | undefined };
  /** Text of a file, or undefined where it cannot be read. */
  readonly readText: (path: string) => string | undefined;
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

const seconds = v.pipe(
  v.number("a number of seconds such as 20"),
  v.minValue(0.1, "a number of seconds of at least 0.1, such as 20"),
  v.maxValue(3600, "a number of seconds of at most 3600, such as 20"),
);
const url = v.pipe(
  v.string('a URL such as "https://host.example/prod"'),
  v.check(
    isHttpUrl,
    'an http or https URL without user name, query or fragment, such as "https://host.example/prod"',
  ),
);
const text = (example: string) =>
  v.pipe(v.string(`a text such as "${example}"`), v.nonEmpty(`a text such as "${example}"`));

const Source = v.strictObject({
  base_url: url,
  headers: v.optional(
    v.record(
      v.string(),
      v.pipe(
        v.string('a text such as "value"'),
        v.check(isHeaderValue, "a text without line breaks"),
      ),
    ),
  ),
  token_env: v.optional(text("MY_SERVICE_TOKEN")),
  user_agent: v.optional(
    v.pipe(
      text("swf-alarms (ops@host.example)"),
      v.check(isHeaderValue, "a text without line breaks"),
    ),
  ),
});

const Schema = v.strictObject({
  engine: v.optional(
    v.strictObject({
      base_url: v.optional(url),
      swf_remote_base_url: v.optional(url),
      service_base_url: v.optional(url),
      request_timeout: v.optional(seconds),
      alarm_timeout: v.optional(seconds),
      log_path: v.optional(text("/var/log/swf-alarms/run.log")),
      alarms_dir: v.optional(text("alarms")),
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
    v.strictObject({
      dsn: v.optional(
        v.pipe(
          text("postgresql://user@host:5432/name"),
          v.check(isDsn, 'a URL such as "postgresql://user:password@host:5432/name"'),
        ),
      ),
      env_path: v.optional(text("/var/www/app/.env")),
      path: v.optional(text("state")),
    }),
  ),
  email: v.optional(
    v.strictObject({
      provider: v.optional(v.picklist(["ses", "file"], '"ses" or "file"')),
      region: v.optional(
        v.pipe(text("us-east-1"), v.regex(/^[a-z0-9-]+$/, 'an AWS region such as "us-east-1"')),
      ),
      from: v.optional(
        v.pipe(
          text("alarms@host.example"),
          v.check(isSender, 'an address such as "alarms@host.example"'),
        ),
      ),
      endpoint: v.optional(url),
      dir: v.optional(text("outbox")),
    }),
  ),
});

type Raw = v.InferOutput<typeof Schema>;

/** The text of a configuration file as settings, or every fault in it at once, each ready to show. */
export function parseConfig(tomlText: string, around: Surroundings): ParsedConfig {
  let table: unknown;
  try {
    table = parseToml(tomlText);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason = error.message] = error.message.split("\n");
    return { ok: false, faults: [`line ${error.line}, column ${error.column}: ${reason}`] };
  }
  const result = v.safeParse(Schema, table);
  const faults = result.success ? [] : result.issues.map(describeIssue);
  // The cross-checks still run on whatever has the right shape, so that one message holds all faults.
  const raw: Raw = result.success ? result.output : {};
  const engine = parseEngine(raw, around, faults);
  const db = parseDb(raw, around, faults);
  const email = parseEmail(raw, around, faults);
  const sources = parseSources(raw, around, faults);
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, config: { engine, sources, db, email } };
}

function parseEngine(raw: Raw, around: Surroundings, faults: string[]): Config["engine"] {
  const engine = raw.engine ?? {};
  const names = ["base_url", "swf_remote_base_url", "service_base_url"] as const;
  const given = names.filter((name) => engine[name] !== undefined);
  const values = new Set(given.map((name) => engine[name]));
  if (values.size > 1)
    faults.push(`engine: ${given.join(" and ")} name different services; keep only base_url`);
  const [baseUrl] = values;
  return {
    baseUrl,
    requestTimeout: engine.request_timeout ?? 20,
    alarmTimeout: engine.alarm_timeout ?? 60,
    logPath: engine.log_path === undefined ? undefined : absolute(engine.log_path, around),
    alarmsDir:
      engine.alarms_dir === undefined ? around.shippedAlarms : absolute(engine.alarms_dir, around),
  };
}

function parseDb(raw: Raw, around: Surroundings, faults: string[]): DbConfig {
  const db = raw.db ?? {};
  const given = (["dsn", "env_path", "path"] as const).filter((name) => db[name] !== undefined);
  if (given.length > 1) faults.push(`db: ${given.join(" and ")} exclude each other; keep one`);
  if (db.dsn !== undefined) return { kind: "dsn", dsn: db.dsn };
  if (db.env_path !== undefined) {
    const path = absolute(db.env_path, around);
    const { login, fault } = parseDbLogin(around.readText(path), path);
    if (fault !== undefined) faults.push(`db.env_path: ${fault}`);
    return { kind: "env file", path, login };
  }
  return { kind: "embedded", path: absolute(db.path ?? "state", around) };
}

function parseEmail(raw: Raw, around: Surroundings, faults: string[]): EmailConfig {
  const email = raw.email;
  if (email === undefined) return { provider: "none" };
  const provider = email.provider ?? "ses";
  if (provider === "file") {
    for (const key of ["region", "endpoint"] as const) {
      if (email[key] !== undefined)
        faults.push(`email.${key}: belongs to provider "ses", found with "file"; remove one`);
    }
    return {
      provider,
      from: email.from ?? "swf-alarms@localhost",
      dir: absolute(email.dir ?? "outbox", around),
    };
  }
  if (email.from === undefined)
    faults.push(
      'email.from: missing; write the sender that SES has verified, such as "alarms@host.example"',
    );
  if (email.dir !== undefined)
    faults.push('email.dir: belongs to provider "file", found with "ses"; remove one');
  return { provider, from: email.from ?? "", region: email.region, endpoint: email.endpoint };
}

function parseSources(raw: Raw, around: Surroundings, faults: string[]): Config["sources"] {
  const sources: { [name: string]: SourceConfig } = {};
  for (const [name, source] of Object.entries(raw.sources ?? {})) {
    const token = source.token_env === undefined ? undefined : around.env[source.token_env];
    if (source.token_env !== undefined && (token === undefined || token === "")) {
      faults.push(
        `sources.${name}.token_env: the environment variable ${source.token_env} is not set; set it where the engine starts`,
      );
    } else if (token !== undefined && !isHeaderValue(token)) {
      faults.push(
        `sources.${name}.token_env: the environment variable ${source.token_env} holds a line break; set it to the bare token`,
      );
    }
    sources[name] = {
      baseUrl: source.base_url,
      headers: source.headers ?? {},
      token,
      userAgent: source.user_agent,
    };
  }
  return sources;
}

function absolute(path: string, around: Surroundings): string {
  return isAbsolute(path) ? path : resolve(around.folder, path);
}

type Issue = v.InferIssue<typeof Schema>;

/** Key, what was found, what to write. Values of keys that may hold a secret are never quoted. */
function describeIssue(issue: Issue): string {
  const path = v.getDotPath(issue) ?? "";
  const key = path.split(".").at(-1) ?? "";
  if (issue.type === "strict_object" && issue.expected === "never") return unknownKey(path, key);
  const found =
    ["dsn", "token_env"].includes(key) || path.includes(".headers.")
      ? "another value"
      : quote(issue.input);
  if (issue.input === undefined) return `${path}: missing; write ${issue.message}`;
  const wanted =
    issue.type === "strict_object" || issue.type === "record" ? "a table" : issue.message;
  return `${path}: found ${found}; write ${wanted}`;
}

const KNOWN: { readonly [table: string]: readonly string[] } = {
  "": Object.keys(Schema.entries),
  engine: Object.keys(Schema.entries.engine.wrapped.entries),
  db: Object.keys(Schema.entries.db.wrapped.entries),
  email: Object.keys(Schema.entries.email.wrapped.entries),
  sources: Object.keys(Source.entries),
};

function unknownKey(path: string, key: string): string {
  const known = KNOWN[path === key ? "" : (path.split(".")[0] ?? "")] ?? [];
  const guess = nearest(key, known);
  const hint = guess === undefined ? `known here: ${known.join(", ")}` : `did you mean ${guess}?`;
  return `${path}: unknown key; remove it (${hint})`;
}

function quote(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}

function isHttpUrl(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const parsed = new URL(value);
  return (
    (parsed.protocol === "http:" || parsed.protocol === "https:") &&
    parsed.username === "" &&
    parsed.password === "" &&
    parsed.search === "" &&
    parsed.hash === ""
  );
}

function isDsn(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value);
}

function isHeaderValue(value: string): boolean {
  return !/[\r\n\0]/.test(value);
}

/** A bare address, or `Name <address>`. */
function isSender(value: string): boolean {
  if (!isHeaderValue(value)) return false;
  const inBrackets = /<([^<>]*)>$/.exec(value)?.[1];
  return isAddress(inBrackets ?? value);
}
