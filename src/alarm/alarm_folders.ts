import { lstatSync } from "node:fs";
import type { AlarmFolder, Config } from "../config/config.ts";
import { readRegularFile } from "../config/regular_file.ts";
import { ExpectedError } from "../core/expected_error.ts";
import type { Log } from "../core/log.ts";
import { attempt } from "../text/attempt.ts";
import { errorText } from "../text/describe.ts";
import { discoverModules, type ModuleFile, mayBeModule } from "./discover.ts";
import { describeReplacement, mergeFolders } from "./merge_folders.ts";
import { realPath, writableFault } from "./permissions.ts";

/** An alarms folder cannot be read, or other users can write it: no tick is possible. */
export class AlarmsFolderError extends ExpectedError {}

/**
 * The module files of all alarms folders, one for each name, and the skipped files that may be meant as modules,
 * by file name; each file that is skipped or replaced goes to the log. Throws AlarmsFolderError.
 */
export function readAlarmFolders(engine: Config["engine"], log: Log): readonly ModuleFile[] {
  const folders = distinctFolders(engine.alarmFolders, realPath).map((folder) => {
    checkRights(engine, folder.path, log);
    return readFolder(folder, log);
  });
  const modules = mergeFolders(folders, haveSameContent);
  for (const line of modules.flatMap(describeReplacement)) log.debug(line);
  return engine.allowWritable === true
    ? modules.map((file) => ({ ...file, allowWritable: true }))
    : modules;
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
    for (const { path, error } of skipped) log.debug(`skipped ${path}: it ${error}`);
    return [...modules, ...skipped.filter(({ name }) => mayBeModule(name))];
  } catch (error) {
    throw new AlarmsFolderError(
      `cannot read the alarms folder ${path}: ${errorText(error)}. Create it, or let the engine's user read it, or correct [engine] alarms_dir.`,
    );
  }
}

/** The files in it are checked where they are loaded. Throws AlarmsFolderError. */
function checkRights({ allowWritable }: Config["engine"], folder: string, log: Log): void {
  const fault = writableFault(folder);
  if (fault === undefined) return;
  if (allowWritable !== true)
    throw new AlarmsFolderError(`refused the alarms folder ${folder}: ${fault}`);
  log.info(`accepted because of --allow-writable: ${fault}`);
}

/** A file that cannot be read differs: loading it says why. */
function haveSameContent(path: string, other: string): boolean {
  return attempt(() => readRegularFile(path).equals(readRegularFile(other)), false);
}
