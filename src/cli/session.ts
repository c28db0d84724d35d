import type { Command } from "commander";
import { openChannel } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { findConfig, loadConfig } from "../config/load.ts";
import type { Log } from "../engine/log.ts";
import { openRunners } from "../engine/runners.ts";
import type { Engine } from "../engine/tick.ts";
import { asDatabaseError, type Database, DatabaseError } from "../store/database.ts";
import { migrate, pendingMigrations } from "../store/migrate.ts";
import { embeddedExists, openDatabase } from "../store/open.ts";

/** `--config FILE`, which every command that reads the configuration takes. */
export interface ConfigOption {
  readonly config?: string;
}

/** The option as commands declare it. */
export function addConfigOption(command: Command): Command {
  return command.option(
    "--config <file>",
    "configuration file (else $SWF_ALARMS_CONFIG, else ./config.toml)",
  );
}

/** The configuration that the option, the environment or the working folder names. Throws ConfigError. */
export function readConfig(options: ConfigOption): { config: Config; path: string } {
  const path = findConfig(options.config, process.env, process.cwd());
  return { config: loadConfig(path, process.env), path };
}

/**
 * Opens the database for one piece of work. The embedded one is the engine's own and is brought up to
 * date by itself. Throws DatabaseError.
 */
export async function withDatabase<T>(
  options: ConfigOption,
  work: (db: Database, config: Config) => Promise<T>,
): Promise<T> {
  const { config, path } = readConfig(options);
  const db = await openDatabase(config.db);
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
      `the database lacks ${pending.join(", ")}; run: swf-alarms migrate --config ${path}`,
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
    ? await (await import("../store/embedded.ts")).openInMemory()
    : await openDatabase(config.db);
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

/** An engine on an open database, with the real clock. */
export function makeEngine(db: Database, config: Config, log: Log): Engine {
  let channel: ReturnType<typeof openChannel> | undefined;
  return {
    config,
    db,
    log,
    host: (signal) => openRunners(config, signal, log),
    clock: () => Date.now() / 1000,
    channel: () => {
      channel ??= openChannel(config.email);
      return channel;
    },
  };
}
