import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ExpectedError } from "../core/expected_error.ts";
import type { Config, Environment } from "./config.ts";
import { parseConfig } from "./parse.ts";

/** The configuration cannot be used; the message lists every fault. */
export class ConfigError extends ExpectedError {}

/** The folder of the shipped alarm modules, beside `src/` and `dist/` alike. */
export const SHIPPED_ALARMS = fileURLToPath(new URL("../../alarms", import.meta.url));

/** deploy/install.sh puts the engine into `engine/VERSION` of a folder; the site's modules are in `alarms` there. */
const HOLDER = dirname(dirname(SHIPPED_ALARMS));
const SITE_ALARMS = basename(HOLDER) === "engine" ? [join(HOLDER, "../alarms")] : [];

const EXAMPLE = fileURLToPath(new URL("../../config.toml.example", import.meta.url));

/**
 * The path of the configuration file: `--config`, then `$SWF_ALARMS_CONFIG`, then `./config.toml`.
 * Throws ConfigError when there is none.
 */
export function findConfig(option: string | undefined, env: Environment, cwd: string): string {
  const variable = env.SWF_ALARMS_CONFIG || undefined;
  const path = resolve(cwd, option ?? variable ?? "config.toml");
  if (existsSync(path)) return path;
  const from = option !== undefined ? "--config" : variable ? "$SWF_ALARMS_CONFIG" : "the default";
  throw new ConfigError(
    `cannot find the configuration ${path} (from ${from}). Copy ${EXAMPLE} to config.toml and edit it, or name a file with --config FILE.`,
  );
}

/** Reads and parses the file; `dsn` replaces the login in it. Throws ConfigError with every fault at once. */
export function loadConfig(path: string, env: Environment, dsn?: string): Config {
  const text = readText(path);
  if (text === undefined)
    throw new ConfigError(
      `cannot read the configuration ${path}; check that the engine's user may read it`,
    );
  const folder = dirname(path);
  const own = [...SITE_ALARMS, join(folder, "alarms")];
  const alarmFolders = [
    { path: SHIPPED_ALARMS },
    ...own.map((path) => ({ path, mayBeMissing: true }) as const),
  ];
  const parsed = parseConfig(text, { folder, alarmFolders, env, readText, dsn });
  if (parsed.ok) return parsed.config;
  const { faults } = parsed;
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  throw new ConfigError([`${count} in the configuration ${path}:`, ...faults].join("\n  "));
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
