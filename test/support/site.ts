import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject, onTestFinished } from "vitest";
import type { Database, Row, SqlValue } from "../../src/store/database.ts";
import { openEmbedded } from "../../src/store/embedded/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { createPostgres } from "./databases.ts";
import { json, startServer, type TestServer } from "./http_server.ts";
import { loginTo } from "./login.ts";
import { type MailService, startMailService } from "./mail_service.ts";
import { type ProcessOptions, type ProcessResult, runEngine } from "./process.ts";
import { type Entry, readEntries, withoutEngine } from "./rows.ts";

/** One entity as the site's service tells it; the `things` module yields each as it is. */
export interface Thing {
  readonly key: unknown;
  readonly subject?: unknown;
  readonly body?: unknown;
  readonly data?: unknown;
}

export interface SiteOptions {
  /** A real Postgres unless said otherwise. */
  readonly database?: "postgres" | "embedded";
  /** Another login than the site's own. */
  readonly dsn?: string;
  /** Leave the database empty, or not made at all, instead of migrating it. */
  readonly bare?: boolean;
  /** SES unless said otherwise. */
  readonly mail?: "ses" | "file" | "none";
  /** Where mail goes; the site's own SES endpoint unless said otherwise. */
  readonly endpoint?: string;
  /** `log/run.log` in the site's folder unless said otherwise. */
  readonly logPath?: string;
  /** The site's own service unless said otherwise. */
  readonly baseUrl?: string;
  /** The site's own folder unless said otherwise; null leaves the key out, for the engine's default. */
  readonly alarmsDir?: string | readonly string[] | null;
  /** Lines for `[engine]` beside `base_url` and `alarms_dir`. */
  readonly engine?: string;
  /** Further TOML at the end. */
  readonly more?: string;
}

/** A whole installation for one test: folder, config, modules, service, database, SES endpoint. */
export interface Site {
  readonly folder: string;
  readonly alarmsDir: string;
  readonly config: string;
  readonly logPath: string;
  readonly mail: MailService;
  readonly source: TestServer;
  /** Undefined on the embedded database. */
  readonly dsn: string | undefined;
  /** What the service's `/things/` lists now. */
  things: readonly Thing[];
  /** Writes config.toml anew, e.g. to send mail elsewhere. */
  configure(options: SiteOptions): void;
  module(file: string, text: string): void;
  /** `swf-alarms <args> --config <this site's>` */
  command(args: readonly string[], options?: ProcessOptions): Promise<ProcessResult>;
  /** `swf-alarms run <args> --config <this site's>` */
  tick(...args: readonly string[]): Promise<ProcessResult>;
  /** Opens the database for several statements; slow to open where it is embedded. */
  withDatabase<T>(work: (db: Database) => Promise<T>): Promise<T>;
  query(sql: string, params?: readonly SqlValue[]): Promise<readonly Row[]>;
  /** Rows of one kind, oldest first, without those of the alarm `engine`, which the first tick makes. */
  entries(kind: string): Promise<readonly Entry[]>;
  /** The log file's text; empty where there is none. */
  log(): string;
}

/** The module that lists what the site's service says. */
export const THINGS = `
export const TITLE = "Things";
export const DESCRIPTION = "Things that are wrong.";
export async function* detect(client) {
  for await (const { key, subject, body, data } of client.pages("/things/")) {
    yield { dedupeKey: key, subject, body, data };
  }
}
`;

/** Makes a site that the end of the test takes down. */
export async function makeSite(options: SiteOptions = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-site-"));
  const alarmsDir = join(folder, "alarms");
  const config = join(folder, "config.toml");
  const logPath = join(folder, "log", "run.log");
  mkdirSync(alarmsDir);
  const template = options.bare === true ? "" : `TEMPLATE ${inject("migrated")}`;
  const dsn = options.database === "embedded" ? undefined : await createPostgres(template);
  const [mail, source] = await Promise.all([
    startMailService(),
    startServer((_, response) =>
      json(response, { items: site.things, has_more: false, next_before_id: null }),
    ),
  ]);
  onTestFinished(async () => {
    await Promise.all([mail.close(), source.close()]);
    rmSync(folder, { recursive: true, force: true });
  });
  const open = () =>
    dsn === undefined ? openEmbedded(join(folder, "state")) : openPostgres(loginTo(dsn));
  const site: Site = {
    folder,
    alarmsDir,
    config,
    logPath,
    mail,
    source,
    dsn,
    things: [],
    configure: (given) =>
      writeFileSync(
        config,
        configText(given, { source: source.url, dsn, ses: mail.url, logPath }),
        // As deploy/install.sh makes it.
        { mode: 0o600 },
      ),
    module: (file, text) => writeFileSync(join(alarmsDir, file), text),
    command: (args, given) => runEngine([...args, "--config", config], given),
    tick: (...args) => runEngine(["run", ...args, "--config", config]),
    withDatabase: async (work) => {
      const db = await open();
      try {
        return await work(db);
      } finally {
        await db.close();
      }
    },
    query: (sql, params = []) => site.withDatabase((db) => db.query(sql, params)),
    entries: async (kind) => withoutEngine(await site.withDatabase((db) => readEntries(db, kind))),
    log: () => readText(logPath),
  };
  site.configure(options);
  if (dsn === undefined && options.bare !== true)
    cpSync(await embeddedTemplate(), join(folder, "state"), COPY);
  return site;
}

const COPY = { recursive: true, preserveTimestamps: true };

/** Making an embedded database takes seconds, copying one does not. */
async function embeddedTemplate(): Promise<string> {
  const template = join(inject("shared"), "embedded");
  if (existsSync(template)) return template;
  const folder = mkdtempSync(`${template}-`);
  const db = await openEmbedded(folder);
  await migrate(db);
  await db.close();
  try {
    renameSync(folder, template);
  } catch (error) {
    // Another test file was first.
    if (!existsSync(template)) throw error;
  }
  return template;
}

interface Places {
  readonly source: string;
  readonly dsn: string | undefined;
  readonly ses: string;
  readonly logPath: string;
}

function configText(options: SiteOptions, { source, dsn, ses, logPath }: Places): string {
  const mail = {
    ses: [
      'provider = "ses"',
      'region = "us-east-1"',
      'from = "alarms@example.org"',
      `endpoint = ${JSON.stringify(options.endpoint ?? ses)}`,
    ],
    file: ['provider = "file"', 'dir = "outbox"'],
    none: [],
  }[options.mail ?? "ses"];
  return [
    "[engine]",
    `base_url = ${JSON.stringify(options.baseUrl ?? source)}`,
    ...(options.alarmsDir === null
      ? []
      : [`alarms_dir = ${JSON.stringify(options.alarmsDir ?? "alarms")}`]),
    `log_path = ${JSON.stringify(options.logPath ?? logPath)}`,
    options.engine ?? "",
    "[db]",
    dsn === undefined ? 'path = "state"' : `dsn = ${JSON.stringify(options.dsn ?? dsn)}`,
    ...(mail.length > 0 ? ["[email]", ...mail] : []),
    options.more ?? "",
    "",
  ].join("\n");
}

/** The files below a folder, sorted; a folder that is not there has none. */
export function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
