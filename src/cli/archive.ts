import type { Config } from "../config/config.ts";
import { endEvents } from "../engine/stopped_alarms.ts";
import type { Database } from "../store/database.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { NotFound } from "./alarms.ts";
import { alarmOf } from "./events.ts";

/** Ends the events of an alarm that was archived, and forgets what it has pending. Returns what was done. */
export async function endArchived(
  db: Database,
  config: Config,
  name: string,
): Promise<readonly string[]> {
  const { row, stopped: reason } = await alarmOf(db, config, name);
  // Of two rows of one alarm the other one keeps it running.
  if (reason === undefined) return [];
  const run = { mode: "tick", now: Date.now() / 1000 } as const;
  const settling = settlingOf(await readStates(db), name);
  const facts = { db, run, teams: new Map(), settling };
  const { plan, error } = await endEvents({ row, reason }, facts);
  if (error !== undefined)
    throw new NotFound(`${name} is archived, but its events did not end: ${error}`);
  const ended = plan.clear.length;
  const { pending } = settling;
  return [
    ...(ended > 0 ? [`ended ${ended} ${ended === 1 ? "event" : "events"}: ${reason}`] : []),
    ...(pending.size > 0 ? [`forgot ${pending.size} pending: ${reason}`] : []),
  ];
}
