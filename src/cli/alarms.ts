import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import { type Alarm, loadAlarms } from "../alarm/load_alarms.ts";
import { describeReplacement } from "../alarm/merge_folders.ts";
import type { Readiness } from "../alarm/readiness.ts";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { alarmName, ENGINE, isAlarmName } from "../core/event_key.ts";
import { ExpectedError } from "../core/expected_error.ts";
import { SILENT } from "../core/log.ts";
import type { AlarmRow } from "../core/model.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";
import { EXIT } from "./exit_code.ts";
import { redact } from "./secrets.ts";

export interface ViewedAlarm extends Alarm {
  readonly file: ModuleFile | undefined;
}

/**
 * The alarms by name as the next tick would load them, with the files that it skips although they may be meant as
 * alarms, then the archived ones; all, or those that `typed` may mean. `notes` are the replaced modules and the rows
 * that cannot be used, one line each. Writes nothing.
 */
export async function viewAlarms(db: Database, config: Config, typed?: string) {
  const files = readAlarmFolders(config.engine, SILENT);
  const modules = new Map(files.map((file) => [file.name, file]));
  const meant = files.flatMap(({ name }) => (name.startsWith(`${typed}.`) ? name : []));
  const only = typed === undefined ? undefined : new Set([typed, alarmName(typed), ...meant]);
  const workers = openWorkerPool(config, new AbortController().signal, SILENT, redact);
  try {
    const { alarms, errors, archived, engine } = await loadAlarms({
      db,
      modules,
      load: (file) => workers.load(file),
      sources: new Sources(config).names,
      channels: readChannels(config.channels),
      operators: config.operators,
      now: Date.now() / 1000,
      write: false,
      decide: () => ({ run: true, reason: "not quarantined" }),
      only,
      log: SILENT,
    });
    const isWanted = engine !== undefined && (only === undefined || only.has(ENGINE));
    const builtIn = isWanted ? [{ row: engine, module: undefined, readiness: BUILT_IN }] : [];
    const all = [...(await Promise.all(alarms)), ...builtIn];
    const live = all.sort((a, b) => (a.row.name < b.row.name ? -1 : 1));
    const withFile = (alarm: Alarm): ViewedAlarm => {
      return { ...alarm, file: modules.get(alarm.row.module) };
    };
    const viewed = [...live, ...archived.map(archivedAlarm)].map(withFile);
    const used = new Set(viewed.flatMap(({ file }) => file ?? []));
    return { alarms: viewed, notes: [...[...used].flatMap(describeReplacement), ...errors] };
  } finally {
    await workers.close();
  }
}

const BUILT_IN: Readiness = { kind: "ready", params: {}, notes: [], typos: [] };

function archivedAlarm(row: AlarmRow): Alarm {
  const message = `archived; start it again with: bin/swf-alarms alarm set ${row.name} --unarchive`;
  return { row, module: undefined, readiness: { kind: "faulty", message, cause: "row" } };
}

/** One alarm by the name that a person typed, `alarm_` in front or not. Throws NotFound. */
export async function findAlarm(db: Database, config: Config, typed: string): Promise<ViewedAlarm> {
  const { alarms } = await viewAlarms(db, config, typed);
  const alarm = alarms.find(({ row }) => row.name === typed) ?? alarms[0];
  if (alarm && (alarm.row.id !== "" || isAlarmName(alarm.row.name))) return alarm;
  const name = alarmName(typed);
  if (alarm) throw new NotFound(`there is no alarm ${quote(name)}; ${renderState(alarm)}`);
  await requireAlarms(db, config, [name], true);
  throw new NotFound(`the row of the alarm ${quote(name)} was deleted`);
}

/**
 * The names of the alarms that a person typed, `alarm_` in front or not. Throws NotFound unless each runs, or with
 * `past` was archived or deleted.
 */
export async function requireAlarms(db: Database, config: Config, typed: string[], past = false) {
  const { rows, deleted } = await alarmRows(db);
  const gone = [...rows.filter((row) => row.archived), ...deleted].map(({ name }) => name);
  const isLive = ({ name }: { name: string }) => isAlarmName(name) && !gone.includes(name);
  const files = readAlarmFolders(config.engine, SILENT).filter(isLive);
  const builtIn = [{ name: ENGINE }].filter(isLive);
  const live = [...files, ...builtIn, ...rows.filter((row) => !row.archived)].map(
    ({ name }) => name,
  );
  const known = [...live, ...gone];
  const names = typed.map((name) => (known.includes(name) ? name : alarmName(name)));
  requireKnown("alarm", names, known);
  const stopped = past ? undefined : names.find((name) => !live.includes(name));
  if (stopped !== undefined)
    throw new NotFound(`the alarm ${stopped} does not run: it is archived, or its row was deleted`);
  return names;
}

/** Throws NotFound, which suggests the near name, unless all are known. */
export function requireKnown(kind: string, names: readonly string[], known: readonly string[]) {
  const name = names.find((item) => !known.includes(item));
  if (name === undefined) return;
  throw new NotFound(
    `there is no ${kind} ${quote(name)}${suggestion(name, known)}; see: bin/swf-alarms ${kind} list`,
  );
}

/** What the user named does not exist. */
export class NotFound extends ExpectedError {
  override readonly exitCode = EXIT.failed;
}

/** Whether the alarm can run, in JSON; the reasons also say what is wrong in a row with which it runs. */
export function alarmState({ row, readiness }: Alarm) {
  if (row.archived) return { state: "archived", reasons: [] };
  const state = readiness.kind === "faulty" ? "error" : readiness.kind;
  return { state, reasons: [...readinessReasons(readiness), ...row.faults] };
}

function readinessReasons(readiness: Readiness): readonly string[] {
  if (readiness.kind === "ready") return [];
  return readiness.kind === "not configured" ? readiness.missing : [readiness.message];
}

/** Where the code of its `detect` is, or the name that its row has for it. */
export function moduleOf({ row, file }: ViewedAlarm): string {
  return row.name === ENGINE ? "built in" : (file?.path ?? row.module);
}

/** Whether the alarm can run, in one line. */
export function renderState({ row, readiness }: Alarm): string {
  if (row.archived) return "archived";
  return [renderReadiness(readiness), ...row.faults].join("; ");
}

function renderReadiness(readiness: Readiness): string {
  switch (readiness.kind) {
    case "ready":
      return "ready";
    case "quarantined":
      return readiness.message;
    case "faulty":
      return `error: ${readiness.message}`;
    case "not configured":
      return `not configured: ${readiness.missing.join("; ")}`;
  }
}
