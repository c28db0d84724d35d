import type { Config } from "../config/config.ts";
import { endEvents } from "../engine/stopped_alarms.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { NotFound } from "./alarms.ts";
import { alarmRowOf } from "./events.ts";

/** Ends the events of an alarm that was archived, and forgets what it has pending. Returns what was done. */
export async function endArchived(
  db: Database,
  config: Config,
  name: string,
): Promise<readonly string[]> {
  const { rows } = await alarmRows(db);
  // Of two rows of one alarm the other one keeps it running.
  if (rows.some((row) => row.name === name && !row.archived)) return [];
  const row = await alarmRowOf(db, config, name);
  const reason = "alarm archived";
  const run = { mode: "tick", now: Date.now() / 1000 } as const;
  const settling = settlingOf(await readStates(db), name);
  const facts = { db, run, teams: new Map(), settling };
  const { plan, error } = await endEvents({ row, reason }, facts);
  if (error !== undefined)
    throw new NotFound(`${name} is archived, but its events did not end: ${error}`);
  const { pending } = settling;
  const ended = plan.clear.length;
  return [
    ...(ended > 0 ? [`ended ${ended} ${ended === 1 ? "event" : "events"}: ${reason}`] : []),
    ...(pending.size > 0 ? [`forgot ${pending.size} pending: ${reason}`] : []),
  ];
}
