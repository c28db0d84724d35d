import { alarmEntryId } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import type { AlarmRow } from "../core/model.ts";
import { defaultParams } from "../core/params.ts";
import { alarmRows, createAlarm, type NewAlarm } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { errorText } from "../text/describe.ts";
import { listAlarms } from "./alarm_list.ts";
import type { AlarmModule, LoadedModule } from "./alarm_module.ts";
import type { ModuleFile } from "./discover.ts";
import { judgeReadiness, type Readiness } from "./readiness.ts";

/** An alarm that takes part in the tick. */
export interface Alarm {
  readonly row: AlarmRow;
  /** Undefined where it could not be loaded. */
  readonly module: AlarmModule | undefined;
  readonly readiness: Readiness;
}

export interface LoadedAlarms {
  /** None of them rejects. */
  readonly alarms: readonly Promise<Alarm>[];
  /** Rows that stand for no alarm of their own: each an error of the run. */
  readonly errors: readonly string[];
  /** Names of alarms whose row was made now, or would be. */
  readonly newModules: readonly string[];
}

export interface LoadFacts {
  readonly db: Database;
  /** Found in the alarms folders, one for each name. */
  readonly modules: readonly ModuleFile[];
  readonly host: { load(file: ModuleFile): Promise<LoadedModule> };
  /** Names of the configured sources. */
  readonly sources: ReadonlySet<string>;
  readonly now: number;
  /** Make rows for newcomers; otherwise they are only imagined. */
  readonly write: boolean;
  /** Only these alarms; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Whether the alarm takes no part in this tick, so that its module is not loaded. */
  readonly isLeftOut: (row: AlarmRow) => boolean;
  readonly log: Log;
}

/** Modules × rows: every alarm of the tick, each loaded and judged by itself: one that hangs delays no other. */
export async function loadAlarms(facts: LoadFacts): Promise<LoadedAlarms> {
  const { rows, invalid: nameless, deleted } = await alarmRows(facts.db);
  const roster = listAlarms(
    facts.modules.map(({ name }) => name),
    rows,
  );
  const isWanted = (name: string): boolean => facts.only === undefined || facts.only.has(name);
  const load = loadOnce(facts);

  const alarms = new Map<string, Promise<Alarm>>();
  const problems = [...nameless];
  for (const item of roster.items) {
    const { row } = item;
    if (item.kind === "archived" || !isWanted(row.name)) continue;
    if (item.kind === "second row") problems.push(item.message);
    else if (item.kind === "unusable")
      alarms.set(row.name, Promise.resolve(faulty(row, item.message, "row")));
    else if (facts.isLeftOut(row))
      alarms.set(row.name, Promise.resolve(faulty(row, "left out of this tick", "module")));
    else alarms.set(row.name, loadRow(row, load, facts.sources));
  }
  const newcomers = roster.newModules
    .filter(isWanted)
    .filter((name) => !isDeleted(name, deleted, facts.log));
  for (const name of newcomers) alarms.set(name, admit(name, load, facts));
  for (const name of facts.only ?? []) {
    if (!alarms.has(name)) problems.push(noSuchAlarm(name));
  }
  return { alarms: [...alarms.values()], errors: problems, newModules: newcomers };
}

type Load = (name: string) => Promise<LoadedModule>;

async function loadRow(row: AlarmRow, load: Load, sources: ReadonlySet<string>): Promise<Alarm> {
  return judge(row, await load(row.module), sources);
}

/** Loads modules by name, each once: several alarms may share one. */
function loadOnce({ modules, host }: LoadFacts): Load {
  const loaded = new Map<string, Promise<LoadedModule>>();
  return (name) => {
    const file = modules.find((candidate) => candidate.name === name);
    if (file === undefined)
      return Promise.resolve({ ok: false, error: `no module ${name} in the alarms folders` });
    if (file.error !== undefined)
      return Promise.resolve({ ok: false, error: `not loaded ${file.path}: it ${file.error}` });
    const pending = loaded.get(name) ?? host.load(file);
    loaded.set(name, pending);
    return pending;
  };
}

/**
 * Takes in a module that has no row yet: its row is made, with mail off. One that does not load gets
 * none before it does, so that the row starts with its TITLE, DESCRIPTION and defaults.
 */
async function admit(name: string, load: Load, facts: LoadFacts): Promise<Alarm> {
  const loaded = await load(name);
  const wish = newAlarm(name, loaded);
  if (!loaded.ok || !facts.write) return judge(imagine(wish), loaded, facts.sources);
  try {
    const row = await createAlarm(facts.db, wish, facts.now);
    facts.log.info(`${row.entryId}: new module, its row was made, with mail off`);
    return judge(row, loaded, facts.sources);
  } catch (error) {
    return faulty(imagine(wish), `cannot make its row: ${errorText(error)}`, "row");
  }
}

/** Who deletes an alarm's row while its file stays does not want it made again. */
function isDeleted(name: string, deleted: readonly string[], log: Log): boolean {
  if (!deleted.includes(name)) return false;
  log.debug(`the module ${name} is not run: the row of its alarm was deleted`);
  return true;
}

function noSuchAlarm(name: string): string {
  return `there is no alarm ${JSON.stringify(name)} to run: neither a module nor a live row has this name`;
}

function judge(row: AlarmRow, loaded: LoadedModule, sources: ReadonlySet<string>): Alarm {
  if (!loaded.ok) return faulty(row, loaded.error, "module");
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

function faulty(row: AlarmRow, message: string, fault: "module" | "row"): Alarm {
  return { row, module: undefined, readiness: { kind: "faulty", message, cause: fault } };
}

/** What a newcomer's row is made of. */
export function newAlarm(name: string, loaded: LoadedModule): NewAlarm {
  if (!loaded.ok) return { name, title: undefined, description: undefined, params: {} };
  const { title, description, params } = loaded.module;
  return { name, title, description, params: defaultParams(params) };
}

/** The row that a plan does not write. */
function imagine({ name, title, description, params }: NewAlarm): AlarmRow {
  return {
    id: "",
    entryId: alarmEntryId(name),
    name,
    module: name,
    title: title ?? name.replaceAll("_", " "),
    description: description ?? "",
    enabled: false,
    recipients: [],
    renotificationHours: 0,
    params,
    limits: {},
    archived: false,
    faults: [],
    blocker: undefined,
  };
}
