import type { Command } from "commander";
import { openChannel } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { findConfig, loadConfig } from "../config/load.ts";
import type { Log } from "../engine/log.ts";
import type { Engine } from "../engine/tick.ts";
import * as helpers from "../index.ts";
import { ModuleLoader } from "../modules/load.ts";
import { type Database, DatabaseError } from "../store/database.ts";
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

/** Opens the database for one piece of work, brought up to date where that is ours to do. */
export async function withDatabase<T>(
  options: ConfigOption,
  work: (db: Database, config: Config) => Promise<T>,
): Promise<T> {
  const { config, path } = readConfig(options);
  const db = await openDatabase(config.db);
  try {
    await ensureSchema(db, config, path);
    return await work(db, config);
  } finally {
    await db.close();
  }
}

/**
 * The embedded database is the engine's own and is migrated by itself. A shared one belongs to its
 * administrator, who is asked to. Throws DatabaseError.
 */
async function ensureSchema(db: Database, config: Config, path: string): Promise<void> {
  if (config.db.kind === "embedded") {
    await migrate(db);
    return;
  }
  const pending = await pendingMigrations(db);
  if (pending.length > 0) {
    throw new DatabaseError(
      `the database lacks ${pending.join(", ")}; run: swf-alarms migrate --config ${path}`,
    );
  }
}

/** A database for a plan: it must write nothing, so one that does not exist yet is imagined in memory. */
export async function withPlanDatabase<T>(
  options: ConfigOption,
  work: (db: Database, config: Config) => Promise<T>,
): Promise<T> {
  const { config } = readConfig(options);
  if (embeddedExists(config.db)) return await withDatabase(options, work);
  const { openInMemory } = await import("../store/embedded.ts");
  const db = await openInMemory();
  try {
    await migrate(db);
    return await work(db, config);
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
    loader: new ModuleLoader(helpers),
    clock: () => Date.now() / 1000,
    channel: () => {
      channel ??= openChannel(config.email);
      return channel;
    },
  };
}
