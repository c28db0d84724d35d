import type { Command } from "commander";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { alarmChannels } from "../core/alarm_channels.ts";
import { TOLERANCE } from "../core/clock.ts";
import { alarmName } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { judgeState, judgeTicks, needsAttention, type Status } from "../core/status.ts";
import { Sources } from "../engine/sources.ts";
import { TICK_LOCK } from "../engine/tick_lock.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database, Queryable } from "../store/database.ts";
import { latestPerAlarm, listEngineRuns } from "../store/engine_runs.ts";
import { alarmStateOf, readStates, sourceStates } from "../store/engine_state.ts";
import { eventCounts } from "../store/event_list.ts";
import { failedNotifications } from "../store/failed_notifications.ts";
import { countTicks } from "../store/skipped_ticks.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { renderStatus, statusFacts } from "./render_status.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

const DAY = 86_400;
/** Ticks searched for the last one, and for one that did not finish: about a day of them. */
const RUNS = 300;

export function declare(command: Command, setExit: SetExit): void {
  addJsonOption(addConfigOption(command))
    .description(
      "Shows on one screen whether the engine and its alarms work, from the records of the last ticks. Exit code 1 when something needs attention.",
    )
    .action(async (options: ConfigOption & JsonOption) => {
      const status = await withDatabase(readConfig(options), (db, config) =>
        readStatus(db, config, Date.now() / 1000),
      );
      const attention = needsAttention(status);
      print(options, statusFacts(status, attention), renderStatus(status, attention));
      setExit(attention.length === 0 ? EXIT.ok : EXIT.failed);
    });
}

async function readStatus(db: Database, config: Config, now: number): Promise<Status> {
  const { names: configured } = new Sources(config);
  const channels = readChannels(config.channels);
  const states = await readStates(db);
  const perAlarm = await latestPerAlarm(db, now);
  const counts = await eventCounts(db);
  const notifications = await failedNotifications(db, now + TOLERANCE);
  return {
    now,
    ticks: judgeTicks(await listEngineRuns(db, RUNS, false), await db.isLocked(TICK_LOCK), now),
    skipped: await countTicks(db, now - DAY),
    alarms: (await currentAlarms(db, Object.keys(perAlarm))).map(({ entryId, name, ...row }) => ({
      alarm: name,
      ...judgeState(perAlarm[entryId], alarmStateOf(states, name)),
      mail: row.enabled,
      channels: alarmChannels(row.channels, channels).names,
      active: counts.get(name)?.active ?? 0,
      not_mailed: counts.get(name)?.unsent ?? 0,
    })),
    unreachable: sourceStates(states).flatMap(({ source, state }) =>
      configured.has(source)
        ? [{ source, unreachable_since: state.since, cause: state.cause }]
        : [],
    ),
    notifications,
  };
}

/** The rows that are not archived, and the modules without a row that the last tick recorded. */
async function currentAlarms(
  db: Queryable,
  recorded: readonly string[],
): Promise<readonly Pick<AlarmRow, "entryId" | "name" | "enabled" | "channels">[]> {
  const { rows, deleted } = await alarmRows(db);
  const known = new Set([
    ...rows.map(({ entryId }) => entryId),
    ...deleted.map(({ entryId }) => entryId),
  ]);
  const byName = new Map<string, AlarmRow>();
  // Of two rows of one alarm the older one runs; it comes first.
  for (const row of rows) if (!row.archived && !byName.has(row.name)) byName.set(row.name, row);
  const withoutRow = recorded.filter((entryId) => !known.has(entryId));
  return [
    ...byName.values(),
    ...withoutRow.map((entryId) => {
      return { entryId, name: alarmName(entryId), enabled: false, channels: [] };
    }),
  ];
}
