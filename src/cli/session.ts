import type { Command } from "commander";
import { realPath, writableFault, writableFileFault } from "../alarm/permissions.ts";
import type { Channel } from "../channel/channel.ts";
import type { Opener } from "../channel/channel_type.ts";
import { channelFaults, readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, findConfig, type LoadOptions, loadConfig } from "../config/load.ts";
import { configWarnings } from "../config/warnings.ts";
import { inTime } from "../core/in_time.ts";
import type { Log } from "../core/log.ts";
import { type Deadline, staleAfter } from "../engine/deadline.ts";
import type { Engine } from "../engine/tick.ts";
import { openWorkerPool } from "../engine/workers.ts";
import { readSources, sourceFaults } from "../source/registry.ts";
import { type Database, DatabaseError } from "../store/database.ts";
import { asDatabaseError } from "../store/database_error.ts";
import { requireOwner } from "../store/embedded/folder.ts";
import { migrate, pendingMigrations } from "../store/migrate.ts";
import { databaseExists, openDatabase } from "../store/open.ts";
import type { Worker } from "../worker/worker.ts";
import { redactedChannel, redactedDatabase } from "./redacted.ts";
import { hideSecrets, redact } from "./secrets.ts";

/** The options of every command that reads the configuration. */
export interface ConfigOption {
  readonly config?: string;
  readonly allowWritable?: boolean;
  readonly dsn?: string;
}

export function addConfigOption(command: Command): Command {
  return addAllowOption(
    command.option(
      "--config <file>",
      "configuration file (else $SWF_ALARMS_CONFIG, else ./config.toml)",
    ),
  );
}

export function addAllowOption(command: Command): Command {
  return command.option("--allow-writable", "accept files that other users can write");
}

export type ReadConfig = ReturnType<typeof readConfig>;

/**
 * The configuration that the option, the environment or the working folder names; from here on its
 * secrets are hidden. `notes` are what was accepted or ignored, one line each, for the log. Throws ConfigError,
 * also where other users can write it. `onLogPath` is called with the
 * path of the log, also before most of these errors.
 */
export function readConfig(options: ConfigOption, onLogPath?: LoadOptions["onLogPath"]) {
  const { config: named, allowWritable, dsn } = options;
  let cwd = "/a working folder that was removed";
  try {
    cwd = process.cwd();
  } catch {
    // Workers cannot start in it.
    process.chdir("/");
  }
  const path = findConfig(named, process.env, cwd);
  const notes: string[] = [];
  const accept = (fault: string | undefined): string | undefined => {
    if (fault === undefined || allowWritable !== true) return fault;
    const accepted = `accepted because of --allow-writable: ${fault}`;
    if (!notes.includes(accepted)) notes.push(accepted);
    return undefined;
  };
  // It would weaken every TLS connection, also those of child processes.
  if (process.env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    notes.push(
      "the variable NODE_TLS_REJECT_UNAUTHORIZED=0 is ignored: certificates are always checked; to trust your own CA, set NODE_EXTRA_CA_CERTS to its file",
    );
  }
  const check = (what: string, fault: string | undefined): void => {
    const refused = accept(fault);
    if (refused !== undefined) throw new ConfigError(`refused ${what}: ${refused}`);
  };
  check(`the configuration ${path}`, writableFault(path));
  const config = loadConfig(path, process.env, {
    onLogPath,
    dsn,
    channelFaults,
    sourceFaults,
    writableFault: (each) => accept(writableFault(each)),
  });
  const channels = readChannels(config.channels).values();
  hideSecrets(config, [...channels, ...readSources(config.sources).values()]);
  const { db, engine } = config;
  // Before a log or anything else is written beside it.
  if (db.kind === "embedded") requireOwner(db.path);
  const log = engine.logPath;
  const inputs = [path, db.kind === "server" ? db.envPath : undefined];
  if (log !== undefined && inputs.some((input) => input && realPath(input) === realPath(log)))
    throw new ConfigError(`[engine] log_path is ${log}, which the engine reads; name another file`);
  if (log !== undefined) onLogPath?.(log);
  if (db.kind === "embedded") check(`the database folder ${db.path}`, writableFault(db.path));
  if (db.kind === "server" && db.envPath !== undefined)
    check(`the database login in ${db.envPath}`, writableFileFault(db.envPath));
  notes.push(...configWarnings(config, path));
  const accepting: Config = { ...config, engine: { ...engine, allowWritable: true } };
  return { config: allowWritable === true ? accepting : config, path, notes };
}

/** Milliseconds after which a terminal shows what the command waits for. */
const LONG_WAIT = 2_000;

/**
 * What a piece of work may do to the database. Only `write` and `tick` make and migrate an embedded one, and
 * `migrate` does nothing else; a shared one is migrated by its administrator only. `read` needs one that
 * exists. A `plan` gets an empty one in memory where no embedded one exists.
 */
export type DatabaseUse = "read" | "plan" | "write" | "tick" | "migrate";

/** Opens the database for one piece of work. Throws DatabaseError. */
export async function withDatabase<T>(
  { config, path }: ReadConfig,
  work: (db: Database, config: Config) => Promise<T>,
  use: DatabaseUse = "read",
  deadline?: Pick<Deadline, "signal" | "closed">,
): Promise<T> {
  const changes = use !== "read" && use !== "plan";
  const inMemory = !changes && !databaseExists(config.db);
  const migrateCommand = `bin/swf-alarms migrate --config ${path}`;
  if (inMemory && use === "read")
    throw new DatabaseError(
      `there is no database yet; the first tick makes it, or run: ${migrateCommand}`,
    );
  const waiting = setTimeout(() => {
    if (process.stderr.isTTY)
      process.stderr.write("swf-alarms: waiting for the database, which may be in use\n");
  }, LONG_WAIT);
  const limit = staleAfter(config.engine.tickTimeout);
  const opening = inMemory
    ? (await import("../store/embedded/database.ts")).openInMemory()
    : openDatabase(config.db, limit, use === "tick", deadline?.closed);
  const db = await (deadline === undefined ? opening : inTime(opening, deadline.signal)).finally(
    () => clearTimeout(waiting),
  );
  try {
    const pending = use === "migrate" ? [] : await pendingMigrations(db);
    if (pending.length > 0 && (inMemory || (config.db.kind === "embedded" && changes)))
      await migrate(db);
    else if (pending.length > 0)
      throw new DatabaseError(`the database lacks ${pending.join(", ")}; run: ${migrateCommand}`);
    return await work(db, config);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    await db.close();
  }
}

/** An engine on an open database, with the real clock; `first` is a worker that runs already. */
export function makeEngine(db: Database, config: Config, log: Log, first?: Worker): Engine {
  return {
    config,
    db: redactedDatabase(db, redact),
    log,
    workers: (signal) => openWorkerPool(config, signal, log, redact, first),
    clock: () => Date.now() / 1000,
    channels: readChannels(config.channels),
    openChannel: (opener) => openRedacted(opener, log),
  };
}

/** The channel, with the secrets taken out of everything that it delivers. */
export async function openRedacted(opener: Opener, log: Log): Promise<Channel> {
  return redactedChannel(await opener.open(log.info), redact);
}
