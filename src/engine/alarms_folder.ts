import type { Config } from "../config/config.ts";
import { checkAlarmsFolder } from "../config/permissions.ts";
import type { ModuleFile } from "../modules/discover.ts";
import { AlarmsFolderError } from "./load_alarms.ts";
import type { Log } from "./log.ts";

/**
 * Refuses to load modules from where others can write. Gives the faults of single modules, by path; none
 * where it was allowed knowingly. Throws AlarmsFolderError.
 */
export function checkRights(
  engine: Config["engine"],
  folder: readonly ModuleFile[],
  log: Log,
): ReadonlyMap<string, string> {
  const rights = checkAlarmsFolder(engine.alarmsDir, new Set(folder.map(({ path }) => path)));
  if (engine.allowWritable !== true) {
    if (rights.refused !== undefined) throw new AlarmsFolderError(rights.refused);
    return rights.modules;
  }
  for (const [path, fault] of rights.modules)
    log.info(`allowed by --allow-writable: ${path} ${fault}`);
  if (rights.refused !== undefined) log.info(`allowed by --allow-writable: ${rights.refused}`);
  return new Map();
}
