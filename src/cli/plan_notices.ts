import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import type { ActiveEvent, AlarmRow } from "../core/model.ts";
import { openQueues } from "../engine/channel_queue.ts";
import { notify } from "../engine/notify.ts";
import type { Recorded } from "../engine/record.ts";
import { openRun } from "../engine/run.ts";
import type { Database } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import { readUnsent } from "../store/unsent.ts";
import { type ChannelVerdict, channelVerdict } from "./channel_verdict.ts";
import { channelState } from "./channels.ts";

export interface PlanNoticesFacts {
  readonly db: Database;
  readonly config: Config;
  /** With the channels that a tick resolves. */
  readonly alarm: AlarmRow;
  readonly key: string;
  /** What a tick would do with the alarm. */
  readonly recorded: Recorded;
  /** The entity's event, if an earlier tick cleared it. */
  readonly cleared?: Pick<ActiveEvent, "fireTime" | "notices"> | undefined;
  readonly now: number;
}

/** What a tick would say of one entity on each channel of its alarm. Writes and sends nothing. */
export async function planNotices(facts: PlanNoticesFacts): Promise<readonly ChannelVerdict[]> {
  const { db, config, alarm, key, recorded, cleared, now } = facts;
  const channels = readChannels(config.channels);
  const run = await openRun(db, { mode: "plan", only: undefined, clock: () => now });
  const unsent = await readUnsent(db);
  const openChannel = (): never => {
    throw new Error("a plan sends nothing");
  };
  const deadline = { signal: new AbortController().signal, patientUntil: 0 };
  const queues = openQueues({ channels, openChannel, clock: () => now }, deadline, unsent);
  const teams = await listTeams(db);
  const own = ofEntity(recorded, key);
  const firing = [...own.plan.touch, ...own.plan.keep][0]?.event;
  const over = own.plan.clear[0]?.event ?? cleared;
  const { notices, errors } = await notify(alarm, own, {
    db,
    run,
    queues,
    teams,
    unsent,
  });
  const [error] = errors;
  if (notices.length === 0 && error !== undefined) throw new Error(error);
  return notices.map((notice) => {
    const { faults } = channelState(notice.channel, channels);
    const isOver = firing === undefined && over !== undefined;
    return channelVerdict({ alarm, key, event: firing ?? over, isOver, notice, faults, now });
  });
}

/** What was done with this entity alone. */
function ofEntity({ plan, opened, ...rest }: Recorded, key: string): Recorded {
  const isIt = ({ event }: { readonly event: ActiveEvent }) => event.dedupeKey === key;
  return {
    ...rest,
    opened: opened.filter(({ dedupeKey }) => dedupeKey === key),
    plan: {
      ...plan,
      open: plan.open.filter(({ dedupeKey }) => dedupeKey === key),
      wait: plan.wait.filter(({ dedupeKey }) => dedupeKey === key),
      touch: plan.touch.filter(isIt),
      clear: plan.clear.filter(isIt),
      keep: plan.keep.filter(isIt),
    },
  };
}
