import { existsSync, lstatSync, statSync } from "node:fs";
import { userInfo } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ExpectedError } from "../core/expected_error.ts";
import { attempt } from "../text/attempt.ts";
import { decodeText } from "../text/decode.ts";
import { errorText } from "../text/describe.ts";
import type { Config, Environment, Surroundings } from "./config.ts";
import { parseConfig } from "./parse.ts";
import { resolvePath } from "./path.ts";
import { readRegularFile } from "./regular_file.ts";

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
 * Throws ExpectedError when there is none.
 */
export function findConfig(option: string | undefined, env: Environment, cwd: string): string {
  const variable = env.SWF_ALARMS_CONFIG || undefined;
  const path = resolvePath(cwd, option ?? variable ?? "config.toml");
  const exists = existsSync(path);
  if (exists && statSync(path).isFile()) return path;
  const from = option !== undefined ? "--config" : variable ? "$SWF_ALARMS_CONFIG" : "the default";
  throw new ConfigError(
    `cannot find the configuration ${path} (from ${from})${exists ? ": it is not a regular file" : ""}. Copy ${EXAMPLE} to config.toml and edit it, or name a file with --config FILE.`,
  );
}

export interface LoadOptions
  extends Pick<Surroundings, "channelFaults" | "sourceFaults" | "writableFault"> {
  /** Replaces the login of the configuration. */
  readonly dsn?: string | undefined;
  /** Called before a ConfigError is thrown, where the text still says where the log is. */
  readonly onLogPath?: ((path: string) => void) | undefined;
}

/** Reads and parses the file. Throws ConfigError with every fault at once. */
export function loadConfig(
  path: string,
  env: Environment,
  { onLogPath, ...options }: LoadOptions,
): Config {
  const text = readText(path);
  const folder = dirname(path);
  const own = [...SITE_ALARMS, join(folder, "alarms")];
  const alarmFolders = [
    { path: SHIPPED_ALARMS },
    ...own.map((path) => ({ path, mayBeMissing: true }) as const),
  ];
  // As psql on Debian and Red Hat, or else as everywhere else.
  const sockets = existsSync("/var/run/postgresql") ? "/var/run/postgresql" : "/tmp";
  // A container may run as a user whom the system does not know.
  const system = { ...attempt(() => userInfo(), undefined), sockets };
  const files = { readText, findText, system };
  const parsed = parseConfig(text, { folder, alarmFolders, env, ...options, ...files });
  if (parsed.ok) return parsed.config;
  const { faults, logPath } = parsed;
  if (logPath !== undefined) onLogPath?.(logPath);
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  throw new ConfigError([`${count} in the configuration ${path}:`, ...faults].join("\n  "));
}

/** The text of a file that must be readable. Throws ConfigError. */
function readText(path: string, kind?: "pem" | "secret"): string {
  try {
    const bytes = readRegularFile(path);
    if (kind === "secret" && statSync(path).mode & 0o077) throw new Error("it must have mode 600");
    if (kind !== "pem") return decodeText(bytes);
    // Its comments may have any encoding.
    if (bytes.includes("-----BEGIN ")) return bytes.toString("latin1");
    throw new Error("it is not in PEM form, which begins with -----BEGIN");
  } catch (error) {
    throw new ConfigError(
      `cannot read ${path}: ${errorText(error)}; check the file and that the engine's user may read it`,
    );
  }
}

function findText(path: string, kind?: "pem" | "secret"): string | undefined {
  // As psql: in a folder that may not be searched there is no such file.
  const isMissing = attempt(() => lstatSync(path), undefined) === undefined;
  return isMissing ? undefined : readText(path, kind);
}
