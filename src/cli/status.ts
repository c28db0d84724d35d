import type { Command } from "commander";
import { alarmEntryId } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { judgeAlarm, judgeTicks, needsAttention, type Status } from "../core/status.ts";
import { Sources } from "../engine/sources.ts";
import { TICK_LOCK } from "../engine/tick_lock.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Queryable } from "../store/database.ts";
import { latestPerAlarm, pastRuns } from "../store/engine_runs.ts";
import { alarmStateOf, readStates, sourceStates } from "../store/engine_state.ts";
import { eventCounts } from "../store/event_list.ts";
import { failedMails } from "../store/notifications.ts";
import { isLockHeld } from "../store/postgres/lock.ts";
import { countSkipped } from "../store/skipped_ticks.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { printJson, printLines } from "./output.ts";
import { renderStatus, statusFacts } from "./render_status.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface StatusOptions extends ConfigOption {
  readonly json?: boolean;
}

const DAY = 86_400;
/** Ticks that are looked through for the last one, and for one that never finished: a day of them. */
const RUNS = 300;
const MAILS = 20;

/** `status`: whether the engine and its alarms are well, in one screen. */
export function declareStatus(command: Command, setExit: SetExit): void {
  addConfigOption(command)
    .description(
      "Says in one screen whether the engine and its alarms are well, from what the last ticks left behind. Exit code 1 when something needs attention.",
    )
    .option("--json", "print as JSON")
    .action(async (options: StatusOptions) => {
      const status = await withDatabase(readConfig(options), (db, config) =>
        readStatus(db, new Sources(config).names, Date.now() / 1000),
      );
      if (options.json === true) printJson(statusFacts(status));
      else printLines(renderStatus(status));
      setExit(needsAttention(status).length === 0 ? EXIT.ok : EXIT.failed);
    });
}

async function readStatus(
  db: Queryable,
  configured: ReadonlySet<string>,
  now: number,
): Promise<Status> {
  const states = await readStates(db);
  const perAlarm = await latestPerAlarm(db);
  const counts = await eventCounts(db);
  const { rows, deleted } = await alarmRows(db);
  const gone = new Set([...rows.map(({ entryId }) => entryId), ...deleted.map(alarmEntryId)]);
  const alarms = [
    ...firstOfEach(rows.filter(({ archived }) => !archived)),
    // A module that never loaded has no row yet, and is on the record all the same.
    ...Object.keys(perAlarm)
      .filter((entryId) => !gone.has(entryId))
      .map((entryId) => ({ entryId, name: entryId.replace(/^alarm_/, ""), enabled: false })),
  ];
  return {
    now,
    ticks: judgeTicks(await pastRuns(db, RUNS), await isLockHeld(db, TICK_LOCK)),
    skipped: await countSkipped(db, now - DAY),
    alarms: alarms.map((row) =>
      judgeAlarm({
        row,
        noted: perAlarm[row.entryId],
        state: alarmStateOf(states, row.name),
        active: counts.get(row.name)?.active ?? 0,
        unsent: counts.get(row.name)?.unsent ?? 0,
      }),
    ),
    // One that was taken out of the configuration is nobody's trouble any more.
    sources: sourceStates(states).filter(
      ({ source, state }) => state.kind === "unreachable" && configured.has(source),
    ),
    mails: await failedMails(db, now - DAY, MAILS),
  };
}

/** Where two rows share an alarm the oldest is the one that runs. */
function firstOfEach(rows: readonly AlarmRow[]): readonly AlarmRow[] {
  return [...new Map(rows.toReversed().map((row) => [row.name, row])).values()].reverse();
}
