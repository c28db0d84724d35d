import type { Config } from "../config/config.ts";
import { checkAlarmsFolder } from "../config/permissions.ts";
import type { ModuleFile } from "../modules/discover.ts";
import { AlarmsFolderError } from "./load_alarms.ts";
import type { Log } from "./log.ts";

/**
 * Refuses to load modules from where others can write. Gives the modules, with the fault of each one that
 * others can write; none where it was allowed knowingly. Throws AlarmsFolderError.
 */
export function checkRights(
  engine: Config["engine"],
  folder: readonly ModuleFile[],
  log: Log,
): readonly ModuleFile[] {
  const rights = checkAlarmsFolder(engine.alarmsDir, new Set(folder.map(({ path }) => path)));
  if (engine.allowWritable !== true) {
    if (rights.refused !== undefined) throw new AlarmsFolderError(rights.refused);
    return folder.map((file) => {
      const fault = rights.modules.get(file.path);
      return fault === undefined ? file : { ...file, fault };
    });
  }
  for (const [path, fault] of rights.modules)
    log.info(`allowed by --allow-writable: ${path} ${fault}`);
  if (rights.refused !== undefined) log.info(`allowed by --allow-writable: ${rights.refused}`);
  return folder;
}
