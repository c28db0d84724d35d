import { readAlarmFolders } from "../alarm/alarm_folders.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import { type Alarm, loadAlarms } from "../alarm/load_alarms.ts";
import type { Config } from "../config/config.ts";
import { ExpectedError } from "../core/expected_error.ts";
import type { Log } from "../core/log.ts";
import type { AlarmRow } from "../core/model.ts";
import { Sources } from "../engine/sources.ts";
import { openWorkerPool } from "../engine/workers.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { EXIT } from "./exit_code.ts";
import { redact } from "./secrets.ts";

const silent: Log = { error: () => {}, info: () => {}, debug: () => {} };

/** An alarm with the file that its module comes from; undefined where there is no such file. */
export interface ViewedAlarm extends Alarm {
  readonly file: ModuleFile | undefined;
}

export interface AlarmsView {
  readonly alarms: readonly ViewedAlarm[];
  readonly problems: readonly string[];
  readonly fileOf: (row: AlarmRow) => ModuleFile | undefined;
}

/** The alarms as a tick would find them; a module without a row is shown, its row is not made. */
export async function viewAlarms(db: Database, config: Config, only?: string): Promise<AlarmsView> {
  const modules = readAlarmFolders(config.engine, silent);
  const fileOf = (row: AlarmRow) => modules.find(({ name }) => name === row.module);
  const host = openWorkerPool(config, new AbortController().signal, silent, redact);
  try {
    const { alarms, errors: problems } = await loadAlarms({
      db,
      modules: new Map(modules.map((file) => [file.name, file])),
      load: (file) => host.load(file),
      sources: new Sources(config).names,
      now: Date.now() / 1000,
      write: false,
      decide: () => ({ run: true, reason: "not quarantined" }),
      only: only === undefined ? undefined : new Set([only]),
      log: silent,
    });
    const loaded = (await Promise.all(alarms)).sort(byEntryId);
    const viewed = loaded.map((alarm) => ({ ...alarm, file: fileOf(alarm.row) }));
    return { alarms: viewed, problems, fileOf };
  } finally {
    await host.close();
  }
}

function byEntryId(a: Alarm, b: Alarm): number {
  return a.row.entryId < b.row.entryId ? -1 : 1;
}

/** One alarm by the name that a person typed, `alarm_` in front or not. Throws NotFound. */
export async function findAlarm(db: Database, config: Config, typed: string): Promise<ViewedAlarm> {
  const name = typed.replace(/^alarm_/, "");
  const { alarms, fileOf } = await viewAlarms(db, config, name);
  const [alarm = await findArchived(db, name, fileOf)] = alarms;
  if (alarm === undefined) {
    throw new NotFound(`there is no alarm ${JSON.stringify(name)}; see: bin/swf-alarms alarm list`);
  }
  return alarm;
}

async function findArchived(
  db: Database,
  name: string,
  fileOf: AlarmsView["fileOf"],
): Promise<ViewedAlarm | undefined> {
  const row = (await alarmRows(db)).rows.find((candidate) => candidate.name === name);
  if (row === undefined) return undefined;
  const message = `archived; to start it again: bin/swf-alarms alarm set ${name} --unarchive`;
  const readiness = { kind: "faulty", message, cause: "row" } as const;
  return { row, module: undefined, file: fileOf(row), readiness };
}

/** What was asked for is not there. */
export class NotFound extends ExpectedError {
  override readonly name = "NotFound";
  override readonly exitCode = EXIT.failed;
}

/** Whether the alarm can run, in one line. */
export function renderState({ row, readiness }: Alarm): string {
  const state =
    readiness.kind === "ready"
      ? "ready"
      : readiness.kind === "faulty"
        ? `error: ${readiness.message}`
        : readiness.kind === "quarantined"
          ? readiness.message
          : `not configured: ${readiness.missing.join("; ")}`;
  return [state, ...row.faults].join("; ");
}
