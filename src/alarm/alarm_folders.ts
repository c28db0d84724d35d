import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { AlarmFolder, Config } from "../config/config.ts";
import { checkAlarmsFolder, realPath } from "../config/permissions.ts";
import { ExpectedError } from "../core/expected_error.ts";
import type { Log } from "../core/log.ts";
import { errorText } from "../text/describe.ts";
import { discoverModules, type ModuleFile } from "./discover.ts";
import { describeReplacement, mergeFolders } from "./merge_folders.ts";

/** An alarms folder cannot be read, or others can write it: no tick is possible. */
export class AlarmsFolderError extends ExpectedError {
  override readonly name = "AlarmsFolderError";
}

/**
 * The module files of all alarms folders, one for each name; each file that is skipped or replaced goes to
 * the log. Throws AlarmsFolderError.
 */
export function readAlarmFolders(engine: Config["engine"], log: Log): readonly ModuleFile[] {
  const folders = distinctFolders(engine.alarmFolders, realPath).map((folder) =>
    checkRights(engine, folder.path, readFolder(folder, log), log),
  );
  const modules = mergeFolders(folders, haveSameContent);
  for (const line of modules.flatMap(describeReplacement)) log.debug(line);
  return modules;
}

/** Each real folder once, at the last of its places. */
export function distinctFolders(
  folders: readonly AlarmFolder[],
  realOf: (path: string) => string,
): readonly AlarmFolder[] {
  const last = new Map(folders.map((folder) => [realOf(folder.path), folder]));
  return folders.filter((folder) => last.get(realOf(folder.path)) === folder);
}

function readFolder({ path, mayBeMissing }: AlarmFolder, log: Log): readonly ModuleFile[] {
  try {
    if (mayBeMissing && lstatSync(path, { throwIfNoEntry: false }) === undefined) return [];
    const { modules, skipped } = discoverModules(path);
    for (const { file, reason } of skipped) log.debug(`skipped ${join(path, file)}: ${reason}`);
    return modules;
  } catch (error) {
    throw new AlarmsFolderError(
      `cannot read the alarms folder ${path}: ${errorText(error)}. Create it, or let the engine's user read it, or correct [engine] alarms_dir.`,
    );
  }
}

/**
 * Refuses to load modules from where others can write. Returns the modules, with the fault of each one that
 * others can write; without faults where it was allowed knowingly. Throws AlarmsFolderError.
 */
function checkRights(
  engine: Config["engine"],
  folder: string,
  modules: readonly ModuleFile[],
  log: Log,
): readonly ModuleFile[] {
  const rights = checkAlarmsFolder(folder, new Set(modules.map(({ path }) => path)));
  if (engine.allowWritable !== true) {
    if (rights.refused !== undefined) throw new AlarmsFolderError(rights.refused);
    return modules.map((file) => {
      const fault = rights.modules.get(file.path);
      return fault === undefined ? file : { ...file, error: fault };
    });
  }
  for (const [path, fault] of rights.modules)
    log.info(`allowed by --allow-writable: ${path} ${fault}`);
  if (rights.refused !== undefined) log.info(`allowed by --allow-writable: ${rights.refused}`);
  return modules;
}

/** A file that cannot be read differs: loading it says why. */
function haveSameContent(path: string, other: string): boolean {
  try {
    return readFileSync(path).equals(readFileSync(other));
  } catch {
    return false;
  }
}
