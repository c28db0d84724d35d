import { isAbsolute, resolve } from "node:path";
import { parse as parseToml, TomlError } from "smol-toml";
import { safeParse } from "valibot";
import { MAIN_SOURCE } from "../core/main_source.ts";
import type { Retention } from "../core/retention.ts";
import { isJsonObject } from "../text/json.ts";
import type { AlarmFolder, Config, DbConfig, EmailConfig, SourceConfig } from "./config.ts";
import { parseDbLogin } from "./db_login.ts";
import { describeIssue, keysOf, noTables, pathText, unknownKeys } from "./faults.ts";
import { isHeaderValue, type RawConfig, Schema } from "./schema.ts";

/** Everything outside the text that its meaning depends on; read at the edge, given here as values. */
export interface Surroundings {
  /** Folder that relative paths start from: where the configuration file lies. */
  readonly folder: string;
  /** Where the shipped alarm modules lie, for a configuration that does not name folders. */
  readonly shippedAlarms: string;
  /** The folder `alarms` beside the installed engine; undefined where it was not installed by install.sh. */
  readonly siteAlarms?: string | undefined;
  readonly env: { readonly [name: string]: string | undefined };
  /** Text of a file, or undefined where it cannot be read. */
  readonly readText: (path: string) => string | undefined;
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

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
  const misplaced = noTables(table);
  const readable = without(
    table,
    misplaced.map(({ keys }) => keys),
  );
  const result = safeParse(Schema, readable);
  const issues = result.success ? [] : result.issues;
  const faults = [
    ...misplaced.map(({ fault }) => fault),
    ...issues.map(describeIssue),
    ...unknownKeys(readable),
  ];
  // The checks across keys run on all that is left, so that one message holds every fault.
  const paths = [...misplaced.map(({ keys }) => keys), ...issues.map(keysOf)];
  const rest = safeParse(Schema, without(table, paths));
  const raw = rest.success ? rest.output : {};
  const across: string[] = [];
  const engine = parseEngine(raw, around, across);
  const db = parseDb(raw, around, across);
  const email = parseEmail(raw, around, across);
  const sources = parseSources(raw, around, across);
  faults.push(...across.filter((fault) => !isAboutOneOf(fault, paths)));
  if (faults.length > 0) return { ok: false, faults };
  const operators = raw.email?.operators ?? [];
  const retention = parseRetention(raw);
  return { ok: true, config: { engine, sources, db, email, operators, retention } };
}

/** The table without what stands at these paths, so that what is left can be looked at. */
function without(table: unknown, paths: readonly (readonly string[])[]): unknown {
  if (!isJsonObject(table)) return {};
  const rest = structuredClone(table);
  for (const [first = "", second, third] of paths) {
    const inner = rest[first];
    const source = second === undefined || !isJsonObject(inner) ? undefined : inner[second];
    // What the other keys of [email] belong to hangs on this one.
    if (first === "email" && second === "provider") delete rest.email;
    else if (third === "base_url" && isJsonObject(source)) source.base_url = STAND_IN;
    else if (third !== undefined && isJsonObject(source)) delete source[third];
    else if (second !== undefined && isJsonObject(inner)) delete inner[second];
    else delete rest[first];
  }
  return rest;
}

/** For a source's missing address, so that its other keys are looked at; never used to ask anybody. */
const STAND_IN = "http://stand-in.invalid";

/** A key of the wrong type is not also "missing". */
function isAboutOneOf(fault: string, paths: readonly (readonly string[])[]): boolean {
  return paths.some(
    (path) =>
      fault.startsWith(`${pathText(path)}:`) ||
      (path.length === 1 && fault.startsWith(`${path[0]}.`)),
  );
}

function parseEngine(raw: RawConfig, around: Surroundings, faults: string[]): Config["engine"] {
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
    maxConnections: maxConnections(raw),
    tickTimeout: engine.tick_timeout ?? 240,
    limits: {
      timeout: engine.alarm_timeout ?? 60,
      memory: engine.alarm_memory ?? 512,
      detections: engine.max_detections ?? 100_000,
    },
    logPath: engine.log_path === undefined ? undefined : absolute(engine.log_path, around),
    alarmFolders: alarmFolders(engine.alarms_dir, around),
    quarantineAfter: engine.quarantine_after ?? 3,
    clearGuardShare: engine.clear_guard_share ?? 0.8,
    unreachableAfter: engine.unreachable_after ?? 1800,
  };
}

/**
 * By default the shipped alarms, then those beside the installed engine and beside the configuration, mostly
 * one folder. A site need not have any.
 */
function alarmFolders(
  named: string | readonly string[] | undefined,
  around: Surroundings,
): readonly AlarmFolder[] {
  if (named === undefined) {
    const own = [around.siteAlarms ?? [], absolute("alarms", around)].flat();
    return [
      { path: around.shippedAlarms },
      ...own.map((path) => ({ path, mayBeMissing: true }) as const),
    ];
  }
  return [named].flat().map((path) => ({ path: absolute(path, around) }));
}

function maxConnections(raw: RawConfig): number {
  return raw.engine?.max_connections ?? 4;
}

function parseDb(raw: RawConfig, around: Surroundings, faults: string[]): DbConfig {
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

function parseEmail(raw: RawConfig, around: Surroundings, faults: string[]): EmailConfig {
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

function parseSources(raw: RawConfig, around: Surroundings, faults: string[]): Config["sources"] {
  const sources: { [name: string]: SourceConfig } = {};
  for (const [name, source] of Object.entries(raw.sources ?? {})) {
    if (name === MAIN_SOURCE) {
      faults.push(`sources.${name}: this name stands for [engine] base_url; choose another`);
    }
    const variable = source.token_env ?? "";
    const token = Object.hasOwn(around.env, variable) ? around.env[variable] : undefined;
    if (source.token_env !== undefined && (token === undefined || token === "")) {
      faults.push(
        `sources.${name}.token_env: the environment variable ${source.token_env} is not set; set it where the engine starts`,
      );
    } else if (token !== undefined && !isHeaderValue(token)) {
      faults.push(
        `sources.${name}.token_env: the environment variable ${source.token_env} holds a line break, or a letter beyond Latin-1; set it to the bare token`,
      );
    }
    sources[name] = {
      baseUrl: source.base_url,
      headers: source.headers ?? {},
      token,
      userAgent: source.user_agent,
      maxConnections: source.max_connections ?? maxConnections(raw),
    };
  }
  return sources;
}

function parseRetention({ retention = {} }: RawConfig): Retention {
  const days = (given: number | "forever"): number | undefined =>
    given === "forever" ? undefined : given;
  return {
    engineRunsDays: days(retention.engine_runs_days ?? 14),
    clearedEventsDays: days(retention.cleared_events_days ?? "forever"),
    notificationsDays: days(retention.notifications_days ?? 365),
  };
}

function absolute(path: string, around: Surroundings): string {
  return isAbsolute(path) ? path : resolve(around.folder, path);
}
