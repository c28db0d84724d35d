import type { Config } from "../config/config.ts";
import { ExpectedError } from "../core/expected_error.ts";
import { checkRights } from "../engine/alarms_folder.ts";
import { type Alarm, loadAlarms, readAlarmsFolder } from "../engine/load_alarms.ts";
import type { Log } from "../engine/log.ts";
import { openRunners } from "../engine/runners.ts";
import { Sources } from "../engine/sources.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { EXIT } from "./exit_code.ts";

const silent: Log = { error: () => {}, info: () => {}, debug: () => {} };

/** The alarms as a tick would find them; a module without a row is shown, its row is not made. */
export async function viewAlarms(
  db: Database,
  config: Config,
  only?: string,
): Promise<{ alarms: readonly Alarm[]; problems: readonly string[] }> {
  const { engine } = config;
  const folder = checkRights(engine, readAlarmsFolder(engine.alarmsDir, silent), silent);
  const host = openRunners(config, new AbortController().signal, silent);
  try {
    const { alarms, problems } = await loadAlarms({
      db,
      folder,
      host,
      sources: new Sources(config).names,
      now: Date.now() / 1000,
      write: false,
      isLeftOut: () => false,
      only: only === undefined ? undefined : new Set([only]),
      log: silent,
    });
    const loaded = await Promise.all(alarms);
    return { alarms: loaded.sort((a, b) => (a.row.entryId < b.row.entryId ? -1 : 1)), problems };
  } finally {
    await host.close();
  }
}

/** One alarm by the name that a person typed, `alarm_` in front or not. Throws NotFound. */
export async function findAlarm(db: Database, config: Config, typed: string): Promise<Alarm> {
  const name = typed.replace(/^alarm_/, "");
  const { alarms } = await viewAlarms(db, config, name);
  const [alarm = await findArchived(db, name)] = alarms;
  if (alarm === undefined) {
    throw new NotFound(`there is no alarm ${JSON.stringify(name)}; see: swf-alarms alarm list`);
  }
  return alarm;
}

async function findArchived(db: Database, name: string): Promise<Alarm | undefined> {
  const row = (await alarmRows(db)).rows.find((candidate) => candidate.name === name);
  if (row === undefined) return undefined;
  const message = `archived; to start it again: swf-alarms alarm set ${name} --unarchive`;
  return { row, module: undefined, readiness: { kind: "faulty", message, fault: "row" } };
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
        : `not configured: ${readiness.missing.join("; ")}`;
  return [state, ...row.faults].join("; ");
}
