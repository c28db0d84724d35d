import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import type { AlarmRow } from "../core/model.ts";
import { record } from "../engine/record.ts";
import { statedClears } from "../engine/stopped_alarms.ts";
import type { Database } from "../store/database.ts";
import { lastRunOf } from "../store/engine_runs.ts";
import { eventsById, type ListedEvent } from "../store/event_list.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound } from "./alarms.ts";
import {
  actor,
  addByOption,
  addEventArguments,
  addReasonOption,
  type ByOption,
  type ReasonOption,
  reasonOf,
} from "./event_options.ts";
import { alarmOf, findFiring, showEvent } from "./events.ts";
import { printLines } from "./output.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ClearOptions extends ConfigOption, ByOption, ReasonOption {
  readonly force?: true;
}

export function declare(command: Command): void {
  addEventArguments(command).description(
    "Ends an event that nothing detects any more but that no tick clears, such as one of a source that is gone.",
  );
  addReasonOption(command, "why, for others to read").option(
    "--force",
    "although the last tick detected it: it fires again if the next one does too",
  );
  addByOption(command).action(async (alarm: string, key: string, options: ClearOptions) => {
    const work = async (db: Database, config: Config): Promise<string> => {
      const event = await findFiring(db, config, alarm, key);
      const { row } = await alarmOf(db, config, event.alarm);
      if (options.force !== true) await requireUnseen(db, row, event);
      await clear(db, row, event, `by operator ${actor(options)}: ${reasonOf(options)}`);
      const [after = event] = await eventsById(db, [event.id]);
      if (after.clearTime === undefined)
        throw new NotFound(`${showEvent(event)} was not cleared: a tick detected it meanwhile`);
      return `cleared ${showEvent(event)}; ${notificationOf(row, after)}`;
    };
    printLines([await withDatabase(readConfig(options), work, "write")]);
  });
}

/** Throws NotFound if the last outcome of the alarm has the event. */
async function requireUnseen(db: Database, row: AlarmRow, event: ListedEvent): Promise<void> {
  const lastRun = await lastRunOf(db, row.entryId, Date.now() / 1000);
  const { lastSeen } = event;
  if (lastRun === undefined || lastSeen === undefined || lastSeen < lastRun.startedAt) return;
  throw new NotFound(
    `${showEvent(event)} is still detected (last seen ${utcMinute(lastSeen)}): it would fire again in the next tick; fix the cause, acknowledge it (bin/swf-alarms event ack), or use --force`,
  );
}

/** As a tick does, so that the same channels hear of it. */
async function clear(db: Database, row: AlarmRow, event: ListedEvent, reason: string) {
  const { error } = await record(
    { row, module: undefined },
    {
      db,
      run: { mode: "tick", now: Date.now() / 1000 },
      detect: async () => statedClears(new Map([[event.dedupeKey, reason]])),
      teams: new Map(),
      clearGuardShare: 1,
    },
  );
  if (error !== undefined) throw new NotFound(`${showEvent(event)} was not cleared: ${error}`);
}

/** Whether somebody is notified of its end, and why not. */
function notificationOf({ enabled, name }: AlarmRow, { unsent }: ListedEvent): string {
  if (unsent.length > 0) return `the next tick notifies of its end on ${unsent.join(", ")}`;
  if (!enabled) return "nobody is notified of its end: the alarm's notifications are off";
  return `nobody is notified of its end; to change that for others run: bin/swf-alarms alarm set ${name} --notify-clear on`;
}
