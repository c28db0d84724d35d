import { alarmChannels } from "../core/alarm_channels.ts";
import { ENGINE } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import type { AlarmRow } from "../core/model.ts";
import { resolveParams } from "../core/params.ts";
import type { TryDecision } from "../core/quarantine.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { alarmRows, assumedRow, createAlarm, type NewAlarm } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { eventFaults } from "../store/events.ts";
import { listTeams } from "../store/teams.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { listAlarms } from "./alarm_list.ts";
import type { AlarmModule, LoadedModule } from "./alarm_module.ts";
import type { ModuleFile } from "./discover.ts";
import { judgeReadiness, type Readiness } from "./readiness.ts";

export interface Alarm {
  readonly row: AlarmRow;
  /** Undefined if it was not loaded. */
  readonly module: AlarmModule | undefined;
  readonly readiness: Readiness;
}

export interface LoadFacts {
  readonly db: Database;
  /** The module files of the alarms folders, by name. */
  readonly modules: ReadonlyMap<string, ModuleFile>;
  readonly load: (file: ModuleFile) => Promise<LoadedModule>;
  /** Names of the configured sources. */
  readonly sources: ReadonlySet<string>;
  /** The configured channels, by name. */
  readonly channels: ReadonlyMap<string, { readonly isDefault: boolean }>;
  /** As configured: they are notified by the alarm `engine` unless its row names others. */
  readonly operators: readonly string[];
  readonly now: number;
  /** Whether new modules get a row; otherwise the row is only assumed. */
  readonly write: boolean;
  /** Only these alarms; undefined means all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Instead of the values in the rows of these alarms. */
  readonly params?: JsonObject | undefined;
  /** Whether the alarm runs in this tick; if not, its module is not loaded. */
  readonly decide: (row: AlarmRow) => TryDecision;
  readonly log: Log;
}

/** An alarm that does not run any more, whose events end. */
export interface StoppedAlarm {
  readonly row: AlarmRow;
  /** Why its events end. */
  readonly reason: "alarm archived" | "alarm deleted";
}

/**
 * Folders × rows: every alarm of the tick. Each loads on its own, so that one that hangs delays no other; none
 * rejects. `errors` are duplicate or invalid rows, and events that cannot be used: each an error of the run.
 * `newModules` are the alarms whose row was made now, or would be; `archived` are the rows of alarms that do not run;
 * `stopped` are these and the deleted ones, each once.
 * `engine` is the built-in alarm; undefined if its row was archived or deleted.
 */
export async function loadAlarms(facts: LoadFacts) {
  const { db, only, decide, log } = facts;
  const modules = new Map([...facts.modules].filter(([name]) => name !== ENGINE));
  const { rows: read, invalid, deleted } = await alarmRows(db);
  const teams = await listTeams(db);
  const withChannels = (row: AlarmRow, place = ""): AlarmRow => {
    const { names, faults } = alarmChannels(row.channels, facts.channels);
    // While its notifications are off, a wrong channel or recipient has no effect.
    const wrong = row.enabled
      ? [
          ...faults,
          ...resolveRecipients(row.recipients, teams).faults.map((fault) => place + fault),
        ]
      : [];
    return { ...row, channels: names, faults: [...row.faults, ...wrong] };
  };
  const isEngine = ({ name }: { readonly name: string }) => name === ENGINE;
  const withOperators = (row: AlarmRow): AlarmRow =>
    row.recipients.length > 0
      ? withChannels(row)
      : withChannels({ ...row, recipients: facts.operators }, "[email] operators: ");
  const found =
    read.find(isEngine) ?? (deleted.some(isEngine) ? undefined : await addEngine(facts));
  const engine = found?.archived === false ? withOperators(found) : undefined;
  const rows = read.filter((row) => !isEngine(row)).map((row) => withChannels(row));
  const listed = listAlarms([...modules.keys()], rows);
  const isWanted = (name: string): boolean => only === undefined || only.has(name);
  const load = loadOnce({ ...facts, modules });
  const start = async (row: AlarmRow): Promise<Alarm> => {
    return quarantined(row, decide) ?? judge(row, await load(row.module), facts);
  };

  const alarms = new Map<string, Promise<Alarm>>();
  const errors = [...invalid, ...(await eventFaults(db, facts.now))];
  const reserved = facts.modules.get(ENGINE);
  if (reserved !== undefined)
    errors.push(
      `${reserved.path} is not used: ${ENGINE} is the name of the built-in alarm; rename the file`,
    );
  const archived: AlarmRow[] =
    found?.archived === true && isWanted(ENGINE) ? [withOperators(found)] : [];
  for (const item of listed.items) {
    const { row } = item;
    if (!isWanted(row.name)) continue;
    if (item.kind === "archived") archived.push(row);
    else if (item.kind === "second row") errors.push(item.message);
    else if (item.kind === "unusable")
      alarms.set(row.name, Promise.resolve(faulty(row, item.message, "row")));
    else alarms.set(row.name, start(row));
  }
  const newModules = listed.newModules.filter((name) => {
    // A row that somebody deleted while its file stays must not be made again.
    const isDeleted = deleted.some((row) => row.name === name);
    if (isDeleted) log.debug(`the module ${name} does not run: the row of its alarm was deleted`);
    return isWanted(name) && !isDeleted;
  });
  for (const name of newModules)
    alarms.set(
      name,
      addAlarm(name, load, facts).then((alarm) => ({ ...alarm, row: withChannels(alarm.row) })),
    );
  const isLive = ({ name }: AlarmRow): boolean =>
    alarms.has(name) || (name === ENGINE && engine !== undefined);
  const ended = (gone: readonly AlarmRow[], reason: StoppedAlarm["reason"]) =>
    gone.filter((row) => isWanted(row.name) && !isLive(row)).map((row) => ({ row, reason }));
  const stopped = [
    ...ended(
      deleted.map((row) => withChannels(row)),
      "alarm deleted",
    ),
    ...ended(archived, "alarm archived"),
  ];
  return {
    alarms: [...alarms.values()],
    errors,
    newModules,
    archived,
    stopped: [...new Map(stopped.map((each) => [each.row.name, each])).values()],
    teams,
    engine,
  };
}

export const ENGINE_ALARM: NewAlarm = {
  name: ENGINE,
  title: "The alarm engine itself",
  description:
    "What keeps the engine from watching or notifying: sources, alarms, channels, recipients, ticks, the clock.",
  params: {},
};

/** The row of the built-in alarm. */
async function addEngine({ db, now, write }: LoadFacts): Promise<AlarmRow> {
  if (!write) return assumedRow(ENGINE_ALARM);
  return await db.transaction((tx) => createAlarm(tx, ENGINE_ALARM, now));
}

type Load = (name: string) => Promise<LoadedModule>;

/** Loads modules by name, each once: several alarms may share one. */
function loadOnce({ modules, load }: LoadFacts): Load {
  const loaded = new Map<string, Promise<LoadedModule>>();
  return async (name) => {
    const file = modules.get(name);
    if (file === undefined)
      return { ok: false, error: `there is no module ${name} in the alarms folders` };
    if (file.error !== undefined)
      return { ok: false, error: `did not load ${file.path}: it ${file.error}` };
    const pending = loaded.get(name) ?? load(file);
    loaded.set(name, pending);
    return await pending;
  };
}

/**
 * Makes the row of a new module, with mail off. A module that does not load gets its row once it does, so that
 * the row starts with its TITLE, DESCRIPTION and defaults.
 */
async function addAlarm(name: string, load: Load, facts: LoadFacts): Promise<Alarm> {
  const skipped = quarantined(assumedRow(newAlarm(name, undefined)), facts.decide);
  if (skipped !== undefined) return skipped;
  const loaded = await load(name);
  const alarm = newAlarm(name, loaded);
  const assumed = assumedRow(alarm);
  if (!loaded.ok || !facts.write) return judge(assumed, loaded, facts);
  try {
    const row = await facts.db.transaction((tx) => createAlarm(tx, alarm, facts.now));
    facts.log.info(`${name}: new module; its row was created, with mail off`);
    return judge(row, loaded, facts);
  } catch (error) {
    return faulty(assumed, `cannot create its row: ${errorText(error)}`, "row");
  }
}

function quarantined(row: AlarmRow, decide: LoadFacts["decide"]): Alarm | undefined {
  const decision = decide(row);
  if (decision.run) return undefined;
  const readiness = { kind: "quarantined", message: decision.reason } as const;
  return { row, module: undefined, readiness };
}

function judge(row: AlarmRow, loaded: LoadedModule, facts: Pick<LoadFacts, "sources" | "params">) {
  if (!loaded.ok) return faulty(row, loaded.error, "module");
  const { module } = loaded;
  const params = { ...row.params, ...facts.params };
  const readiness = judgeReadiness(module, params, facts.sources);
  const typos = readiness.kind === "ready" ? readiness.typos : [];
  return { row: { ...row, params, faults: [...row.faults, ...typos] }, module, readiness };
}

function faulty(row: AlarmRow, message: string, cause: "module" | "row"): Alarm {
  return { row, module: undefined, readiness: { kind: "faulty", message, cause } };
}

/** What the row of a new module starts with. */
export function newAlarm(name: string, loaded: LoadedModule | undefined): NewAlarm {
  if (!loaded?.ok) return { name, title: undefined, description: undefined, params: {} };
  const { title, description, params } = loaded.module;
  return { name, title, description, params: resolveParams(params, {}).params };
}
