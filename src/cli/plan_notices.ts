import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import type { ActiveEvent, AlarmRow } from "../core/model.ts";
import { eventIdsOf } from "../core/notification.ts";
import { openQueues } from "../engine/channel_queue.ts";
import { notify } from "../engine/notify.ts";
import type { Recorded } from "../engine/record.ts";
import { openRun } from "../engine/run.ts";
import type { Database } from "../store/database.ts";
import { listTeams } from "../store/teams.ts";
import { openNotifications, readUnsent } from "../store/unsent.ts";
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
  readonly cleared?: Pick<ActiveEvent, "id" | "fireTime" | "notices"> | undefined;
  /** Why ticks do nothing with the alarm; undefined if they run it. */
  readonly idle?: string | undefined;
  readonly now: number;
}

/** What a tick would say of one entity on each channel of its alarm. Writes and sends nothing. */
export async function planNotices(facts: PlanNoticesFacts): Promise<readonly ChannelVerdict[]> {
  const { db, config, alarm, key, recorded, cleared, idle, now } = facts;
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
  const open = unsent.hasOpen(alarm.entryId) ? await openNotifications(db, alarm.entryId) : [];
  const event = firing ?? over;
  return notices.map((notice) => {
    const { channel } = notice;
    const naming = open.filter(
      (row) => row.channel === channel && event !== undefined && eventIdsOf(row).includes(event.id),
    );
    return channelVerdict({
      alarm,
      key,
      event,
      isOver: firing === undefined && over !== undefined,
      notice,
      faults: channelState(channel, channels).faults,
      idle,
      closedUntil: queues.get(channel)?.closed?.notBefore,
      waitsUntil: naming.length === 0 ? undefined : Math.max(...naming.map((row) => row.notBefore)),
      now,
    });
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
