import type { Command } from "commander";
import { openChannel } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { ConfigError, findConfig, loadConfig } from "../config/load.ts";
import { checkConfigFile, checkLoginFile } from "../config/permissions.ts";
import { configWarnings } from "../config/warnings.ts";
import type { Log } from "../core/log.ts";
import { staleAfter } from "../engine/deadline.ts";
import type { Engine } from "../engine/tick.ts";
import { openWorkerPool } from "../engine/workers.ts";
import { type Database, DatabaseError } from "../store/database.ts";
import { asDatabaseError } from "../store/database_error.ts";
import { migrate, pendingMigrations } from "../store/migrate.ts";
import { embeddedExists, openDatabase } from "../store/open.ts";
import type { Worker } from "../worker/worker.ts";
import { droppedVariables } from "./environment.ts";
import { hideSecrets, redact } from "./secrets.ts";

/** What every command that reads the configuration takes. */
export interface ConfigOption {
  readonly config?: string;
  readonly allowWritable?: boolean;
}

/** The options as commands declare them. */
export function addConfigOption(command: Command): Command {
  return addAllowOption(
    command.option(
      "--config <file>",
      "configuration file (else $SWF_ALARMS_CONFIG, else ./config.toml)",
    ),
  );
}

export function addAllowOption(command: Command): Command {
  return command.option("--allow-writable", "use files that others can write, knowingly");
}

export interface ReadConfig {
  readonly config: Config;
  readonly path: string;
  /** What was allowed or left out knowingly, one line each, for the log. */
  readonly notes: readonly string[];
}

/**
 * The configuration that the option, the environment or the working folder names; from here on its
 * secrets are hidden. Throws ConfigError, also where others can write it.
 */
export function readConfig(options: ConfigOption): ReadConfig {
  const path = findConfig(options.config, process.env, process.cwd());
  const notes: string[] = [...droppedVariables()];
  const refuse = (reason: string | undefined): void => {
    if (reason === undefined) return;
    if (options.allowWritable !== true) throw new ConfigError(reason);
    notes.push(`allowed by --allow-writable: ${reason}`);
  };
  refuse(checkConfigFile(path));
  const config = loadConfig(path, process.env);
  hideSecrets(config);
  if (config.db.kind === "env file") refuse(checkLoginFile(config.db.path));
  notes.push(...configWarnings(config, path));
  if (options.allowWritable !== true) return { config, path, notes };
  return { config: { ...config, engine: { ...config.engine, allowWritable: true } }, path, notes };
}

/**
 * Opens the database for one piece of work, which may take a lock. The embedded one is the engine's own
 * and is brought up to date by itself. Throws DatabaseError.
 */
export async function withDatabase<T>(
  options: ConfigOption,
  work: (db: Database, config: Config) => Promise<T>,
  willLock = false,
): Promise<T> {
  const { config, path } = readConfig(options);
  const db = await openDatabase(config.db, staleAfter(config.engine.tickTimeout), willLock);
  try {
    if (config.db.kind === "embedded") await migrate(db);
    else await requireSchema(db, path);
    return await work(db, config);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    await db.close();
  }
}

/** A shared database belongs to its administrator, who is asked to bring it up to date. Throws DatabaseError. */
async function requireSchema(db: Database, path: string): Promise<void> {
  const pending = await pendingMigrations(db);
  if (pending.length > 0) {
    throw new DatabaseError(
      `the database lacks ${pending.join(", ")}; run: bin/swf-alarms migrate --config ${path}`,
    );
  }
}

/** A database for work that writes nothing: an embedded one that does not exist yet is imagined in memory. */
export async function withPlanDatabase<T>(
  options: ConfigOption,
  work: (db: Database, config: Config) => Promise<T>,
): Promise<T> {
  const { config, path } = readConfig(options);
  const imagined = !embeddedExists(config.db);
  const db = imagined
    ? await (await import("../store/embedded/database.ts")).openInMemory()
    : await openDatabase(config.db, staleAfter(config.engine.tickTimeout));
  try {
    if (imagined) await migrate(db);
    else await requireSchema(db, path);
    return await work(db, config);
  } catch (error) {
    throw asDatabaseError(error);
  } finally {
    await db.close();
  }
}

/** An engine on an open database, with the real clock; `first` is a process for modules that runs already. */
export function makeEngine(db: Database, config: Config, log: Log, first?: Worker): Engine {
  let channel: ReturnType<typeof openChannel> | undefined;
  return {
    config,
    db,
    log,
    workers: (signal) => openWorkerPool(config, signal, log, first),
    clock: () => Date.now() / 1000,
    redact,
    channel: () => {
      channel ??= openChannel(config.email);
      return channel;
    },
  };
}
