import type { ActiveEvent } from "../core/model.ts";
import { eventIdsOf } from "../core/notification.ts";
import type { Recorded } from "../engine/record.ts";
import { openNotifications } from "../store/unsent.ts";
import { type ChannelVerdict, channelVerdict } from "./channel_verdict.ts";
import { channelState } from "./channels.ts";
import { type PlanNotifyFacts, planNotify } from "./plan_notify.ts";

export interface PlanNoticesFacts extends PlanNotifyFacts {
  readonly key: string;
  /** The entity's event, if an earlier tick cleared it. */
  readonly cleared?: Pick<ActiveEvent, "id" | "fireTime" | "notices"> | undefined;
  /** Why ticks do nothing with the alarm; undefined if they run it. */
  readonly idle?: string | undefined;
}

/** What a tick would say of one entity on each channel of its alarm. Writes and sends nothing. */
export async function planNotices(facts: PlanNoticesFacts): Promise<readonly ChannelVerdict[]> {
  const { db, alarm, key, cleared, idle, now } = facts;
  const own = ofEntity(facts.recorded, key);
  const { channels, unsent, queues, notices } = await planNotify({ ...facts, recorded: own });
  const firing = [...own.plan.touch, ...own.plan.keep][0]?.event;
  const over = own.plan.clear[0]?.event ?? cleared;
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
