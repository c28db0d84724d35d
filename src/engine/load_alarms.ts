import type { AlarmRow } from "../core/model.ts";
import { judgeReadiness, type Readiness } from "../core/readiness.ts";
import { makeRoster } from "../core/roster.ts";
import { discoverModules, type ModuleFile } from "../modules/discover.ts";
import type { AlarmModule, LoadedModule, ModuleLoader } from "../modules/load.ts";
import { alarmRows, createAlarm, deletedAlarmNames } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import type { Log } from "./log.ts";

/** An alarm that takes part in the tick. */
export interface Alarm {
  readonly row: AlarmRow;
  /** Undefined where it could not be loaded. */
  readonly module: AlarmModule | undefined;
  readonly readiness: Readiness;
}

export interface LoadedAlarms {
  readonly alarms: readonly Alarm[];
  /** Rows that stand for no alarm of their own: each an error of the run. */
  readonly problems: readonly string[];
  /** Names of alarms whose row was made now, or would be. */
  readonly newcomers: readonly string[];
}

export interface LoadFacts {
  readonly db: Database;
  readonly folder: readonly ModuleFile[];
  readonly loader: ModuleLoader;
  /** Names of the configured sources. */
  readonly sources: ReadonlySet<string>;
  readonly now: number;
  /** Make rows for newcomers; otherwise they are only imagined. */
  readonly write: boolean;
  /** Only these alarms; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
  readonly log: Log;
}

/** Folder × rows: every alarm of the tick, loaded and judged. */
export async function loadAlarms(facts: LoadFacts): Promise<LoadedAlarms> {
  const files = new Map(facts.folder.map((file) => [file.name, file]));
  const loaded = new Map<string, Promise<LoadedModule>>();
  // Several alarms may share a module; it is loaded once.
  const load = (file: ModuleFile): Promise<LoadedModule> => {
    const pending = loaded.get(file.name) ?? facts.loader.load(file);
    loaded.set(file.name, pending);
    return pending;
  };
  const isWanted = (name: string): boolean => facts.only === undefined || facts.only.has(name);

  const { rows, nameless } = await alarmRows(facts.db);
  const roster = makeRoster([...files.keys()], rows);
  const deleted = new Set(await deletedAlarmNames(facts.db));
  for (const name of roster.newcomers.filter((newcomer) => deleted.has(newcomer))) {
    facts.log.debug(`the module ${name} is not run: the row of its alarm was deleted`);
  }
  const newcomers = roster.newcomers.filter((name) => isWanted(name) && !deleted.has(name));

  const alarms: Alarm[] = [];
  const problems = [...nameless];
  for (const item of roster.items) {
    if (item.kind === "archived" || !isWanted(item.row.name)) continue;
    if (item.kind === "second row") problems.push(item.message);
    else if (item.kind === "unusable") alarms.push(faulty(item.row, item.message));
    else {
      const file = files.get(item.row.module);
      if (file !== undefined) alarms.push(judge(item.row, await load(file), facts.sources));
    }
  }
  for (const name of newcomers) {
    const file = files.get(name);
    if (file === undefined) continue;
    const module = await load(file);
    const texts = module.ok ? module.module : { title: undefined, description: undefined };
    const wish = { name, title: texts.title, description: texts.description };
    const row = facts.write ? await createAlarm(facts.db, wish, facts.now) : imagine(name, texts);
    facts.log.info(
      `${row.entryId}: new module, ${facts.write ? "its row was made" : "its row would be made"}, with mail off`,
    );
    alarms.push(judge(row, module, facts.sources));
  }
  for (const name of facts.only ?? []) {
    if (!alarms.some(({ row }) => row.name === name))
      problems.push(
        `there is no alarm ${JSON.stringify(name)} to run: neither a module nor a live row has this name`,
      );
  }
  alarms.sort((a, b) => (a.row.entryId < b.row.entryId ? -1 : 1));
  return { alarms, problems, newcomers };
}

/** The module files of the alarms folder; each file that is none is told to the log. Throws AlarmsFolderError. */
export function readAlarmsFolder(folder: string, log: Log): readonly ModuleFile[] {
  try {
    const { modules, skipped } = discoverModules(folder);
    for (const { file, reason } of skipped)
      log.debug(`${file} in the alarms folder is no alarm: ${reason}`);
    return modules;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AlarmsFolderError(
      `cannot read the alarms folder ${folder}: ${reason}. Set [engine] alarms_dir to the folder with the alarm modules.`,
    );
  }
}

/** The alarms folder cannot be read: no tick is possible. */
export class AlarmsFolderError extends Error {
  override readonly name = "AlarmsFolderError";
}

function judge(row: AlarmRow, loaded: LoadedModule, sources: ReadonlySet<string>): Alarm {
  if (!loaded.ok) return faulty(row, loaded.fault);
  const { module } = loaded;
  return {
    row,
    module,
    readiness: judgeReadiness({
      row,
      specs: module.params,
      needs: module.sources,
      configured: sources,
    }),
  };
}

function faulty(row: AlarmRow, message: string): Alarm {
  return { row, module: undefined, readiness: { kind: "faulty", message } };
}

/** The row that a plan does not write. */
function imagine(
  name: string,
  texts: { title: string | undefined; description: string | undefined },
): AlarmRow {
  return {
    id: "",
    entryId: `alarm_${name}`,
    name,
    module: name,
    title: texts.title ?? name.replaceAll("_", " "),
    description: texts.description ?? "",
    enabled: false,
    recipients: [],
    renotificationHours: 0,
    params: {},
    archived: false,
    faults: [],
    blocker: undefined,
  };
}
