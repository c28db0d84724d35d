import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import type { AlarmRow } from "../core/model.ts";
import { openQueues } from "../engine/channel_queue.ts";
import { notify } from "../engine/notify.ts";
import type { Recorded } from "../engine/record.ts";
import { openRun } from "../engine/run.ts";
import type { Database } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import { readUnsent } from "../store/unsent.ts";

export interface PlanNotifyFacts {
  readonly db: Database;
  readonly config: Config;
  /** With the channels that a tick resolves. */
  readonly alarm: AlarmRow;
  /** What a tick would do with the alarm. */
  readonly recorded: Recorded;
  readonly now: number;
}

/** What a tick would say of an alarm on each of its channels. Writes and sends nothing. */
export async function planNotify({ db, config, alarm, recorded, now }: PlanNotifyFacts) {
  const channels = readChannels(config.channels);
  const clock = () => now;
  const run = await openRun(db, { mode: "plan", only: undefined, clock });
  const unsent = await readUnsent(db);
  const openChannel = (): never => {
    throw new Error("a plan sends nothing");
  };
  const deadline = { signal: new AbortController().signal, patientUntil: 0 };
  const queues = openQueues({ channels, openChannel, clock }, deadline, unsent);
  const teams = await listTeams(db);
  const { notices, errors } = await notify(alarm, recorded, { db, run, queues, teams, unsent });
  const [error] = errors;
  if (notices.length === 0 && error !== undefined) throw new Error(error);
  return { channels, unsent, queues, notices };
}
