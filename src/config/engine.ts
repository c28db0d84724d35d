import { object, optional, safeParse } from "valibot";
import { DEFAULT_LIMITS, DEFAULT_REQUEST_TIMEOUT } from "../core/default_limits.ts";
import type { Config, SettingsTable, Surroundings } from "./config.ts";
import { isTable, parseTable } from "./issue.ts";
import { resolvePath } from "./path.ts";
import { SERVICE, serviceAddress } from "./service.ts";
import { connections, folders, integerFrom, numberFrom, pathLike, seconds } from "./values.ts";

export const Engine = object({
  base_url: optional(serviceAddress),
  swf_remote_base_url: optional(serviceAddress),
  service_base_url: optional(serviceAddress),
  ...SERVICE,
  request_timeout: optional(seconds, DEFAULT_REQUEST_TIMEOUT),
  max_connections: optional(connections, 4),
  alarm_timeout: optional(seconds, DEFAULT_LIMITS.timeout),
  alarm_memory: optional(
    integerFrom(64, 1_048_576, "a whole number of MiB from 64 to 1048576, such as 512"),
    DEFAULT_LIMITS.memory,
  ),
  max_detections: optional(
    integerFrom(1, 10_000_000, "a whole number from 1 to 10000000, such as 100000"),
    DEFAULT_LIMITS.detections,
  ),
  tick_timeout: optional(seconds, 240),
  log_path: optional(pathLike("/var/log/swf-alarms/run.log")),
  alarms_dir: optional(folders),
  quarantine_after: optional(
    integerFrom(0, Number.MAX_SAFE_INTEGER, "a whole number of failures such as 3, or 0 for never"),
    3,
  ),
  clear_guard_share: optional(
    numberFrom(0, 1, "a share from 0 to 1 such as 0.8; 1 turns the guard off"),
    0.8,
  ),
  unreachable_after: optional(
    numberFrom(0, Number.MAX_VALUE, "a number of seconds such as 1800"),
    1800,
  ),
});

/** The second and third are the names of the Python engines. */
const ADDRESSES = ["base_url", "swf_remote_base_url", "service_base_url"] as const;

export function parseEngine(
  table: unknown,
  around: Surroundings,
  faults: string[],
): Config["engine"] | undefined {
  const engine = parseTable(Engine, ["engine"], table, faults);
  if (engine === undefined) return undefined;
  const given = ADDRESSES.filter((name) => engine[name] !== undefined);
  if (new Set(given.map((name) => engine[name])).size > 1)
    faults.push(`engine: ${given.join(" and ")} name different services; keep only base_url`);
  return {
    requestTimeout: engine.request_timeout,
    maxConnections: engine.max_connections,
    tickTimeout: engine.tick_timeout,
    limits: {
      timeout: engine.alarm_timeout,
      memory: engine.alarm_memory,
      detections: engine.max_detections,
    },
    logPath: findLogPath(table, around),
    alarmFolders:
      engine.alarms_dir === undefined
        ? around.alarmFolders
        : [engine.alarms_dir].flat().map((path) => ({ path: resolvePath(around.folder, path) })),
    quarantineAfter: engine.quarantine_after,
    clearGuardShare: engine.clear_guard_share,
    unreachableAfter: engine.unreachable_after,
  };
}

/**
 * The settings of the main service, as those of a further one; undefined if there are none, or if its address is not one,
 * which `parseEngine` reports under the name that it has.
 */
export function mainService(table: unknown): SettingsTable["settings"] | undefined {
  if (!isTable(table)) return undefined;
  const settings = Object.entries(table).filter(([key]) => Object.hasOwn(SERVICE, key));
  const name = ADDRESSES.find((each) => table[each] !== undefined);
  if (name === undefined) return settings.length > 0 ? Object.fromEntries(settings) : undefined;
  const address = safeParse(serviceAddress, table[name]);
  return address.success
    ? { base_url: address.output, ...Object.fromEntries(settings) }
    : undefined;
}

/** Where faults are logged too, also those of its own section. */
export function findLogPath(table: unknown, { folder }: Surroundings): string | undefined {
  const log = safeParse(Engine.entries.log_path, isTable(table) ? table.log_path : undefined);
  return log.success && log.output ? resolvePath(folder, log.output) : undefined;
}
