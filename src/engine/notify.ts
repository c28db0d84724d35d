import { EMAIL } from "../core/alarm_channels.ts";
import type { Refused } from "../core/delivery.ts";
import type { AlarmRow, Team } from "../core/model.ts";
import {
  type DueItem,
  decideItems,
  type Items,
  type Notice,
  sendReason,
  type UnsentClear,
} from "../core/notice.ts";
import { type Dispatch, type OpenNotification, planDispatch } from "../core/notification.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { routeItems } from "../core/route.ts";
import type { Database } from "../store/database.ts";
import { forgetUnsent, unsentClears } from "../store/events.ts";
import { openNotifications, type Unsent } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import type { ChannelQueue } from "./channel_queue.ts";
import { dispatch, NOTHING_DISPATCHED } from "./dispatch.ts";
import { giveUp } from "./give_up.ts";
import type { Recorded } from "./record.ts";
import type { Run } from "./run.ts";

export interface NotifyFacts {
  readonly db: Database;
  readonly run: Run;
  /** By channel: undefined for one whose settings are wrong. */
  readonly queues: ReadonlyMap<string, ChannelQueue | undefined>;
  readonly teams: ReadonlyMap<string, Team>;
  /** What earlier ticks could not deliver. */
  readonly unsent: Unsent;
}

/** What an alarm had to say on one channel, and what became of it. */
export interface ChannelNotice extends Notice {
  readonly channel: string;
  /** Addresses, or the target of the channel. */
  readonly recipients: readonly string[];
  /** Notifications that were delivered. */
  readonly sent: number;
  /** Addresses that the service refused. */
  readonly refused: readonly Refused[];
}

/** What was decided about the alarm's notifications, and what became of them. */
export interface Notified {
  readonly notices: readonly ChannelNotice[];
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

interface Earlier {
  readonly clears: readonly UnsentClear[];
  readonly open: readonly OpenNotification[];
}

/** Delivers what earlier ticks could not, then what is due now, on each of the alarm's channels. Never throws. */
export async function notify(
  alarm: AlarmRow,
  recorded: Recorded,
  facts: NotifyFacts,
): Promise<Notified> {
  const notes: string[] = [];
  if (recorded.error !== undefined) return { notices: [], errors: [], notes };
  try {
    const earlier = await readEarlier(alarm, recorded, facts);
    const unused = await dropUnused(alarm, earlier, facts);
    const results = await Promise.all(
      alarm.channels.map((channel) => notifyOn(channel, alarm, recorded, earlier, facts)),
    );
    const errors = [...unused.errors, ...results.flatMap((result) => result.errors)];
    return {
      notices: results.map(({ notice }) => notice),
      errors: [...new Set(errors)],
      notes: unused.notes,
    };
  } catch (error) {
    return { notices: [], errors: [cannotRecord(error)], notes };
  }
}

function cannotRecord(error: unknown): string {
  return `cannot record the notification: ${errorText(error)}; its events stay unsent`;
}

async function readEarlier(
  alarm: AlarmRow,
  { plan }: Recorded,
  { db, unsent }: NotifyFacts,
): Promise<Earlier> {
  const clearedNow = new Set(plan.clear.map(({ event }) => event.id));
  const all = unsent.hasClears(alarm.name) ? await unsentClears(db, alarm.name) : [];
  const clears = all.filter(({ id }) => !clearedNow.has(id));
  const hasOpen = unsent.hasOpen(alarm.entryId);
  return { clears, open: hasOpen ? await openNotifications(db, alarm.entryId) : [] };
}

/** Ends what waits for channels that the alarm no longer uses; `[email]` may be missing for a while. */
async function dropUnused(
  alarm: AlarmRow,
  { clears, open }: Earlier,
  { db, run }: NotifyFacts,
): Promise<{ readonly errors: readonly string[]; readonly notes: readonly string[] }> {
  const notes: string[] = [];
  if (run.mode !== "tick") return { errors: [], notes };
  const now = run.clock();
  const isUnused = (channel: string): boolean =>
    channel !== EMAIL && !alarm.channels.includes(channel);
  const unused = new Set(clears.flatMap(({ unsent }) => unsent).filter(isUnused));
  for (const channel of unused) {
    const ids = clears.filter(({ unsent }) => unsent.includes(channel)).map(({ id }) => id);
    await db.transaction((tx) => forgetUnsent(tx, ids, channel, now));
    notes.push(
      `${ids.length} cleared event(s) are not sent on ${channel}: the alarm no longer uses that channel`,
    );
  }
  for (const row of open.filter(({ channel }) => isUnused(channel))) {
    const reason = "the alarm no longer uses the channel";
    await db.transaction((tx) => giveUp(tx, row, reason, now));
    notes.push(`the notification ${row.id} on ${row.channel} is not sent: ${reason}`);
  }
  return { errors: [], notes };
}

async function notifyOn(
  channel: string,
  alarm: AlarmRow,
  recorded: Recorded,
  earlier: Earlier,
  facts: NotifyFacts,
): Promise<{ readonly notice: ChannelNotice; readonly errors: readonly string[] }> {
  const { db, run, queues, teams } = facts;
  const { mode, now, clockCheck } = run;
  const queue = queues.get(channel);
  const items = decideItems({
    alarm,
    channel,
    plan: recorded.plan,
    opened: recorded.opened,
    unsentClears: earlier.clears.filter(({ unsent }) => unsent.includes(channel)),
    now,
  });
  const due = [...items.fresh, ...items.continuing, ...items.cleared];
  const target = queue?.target;
  const { routes, faults } = routeItems(due, { alarm, teams, channel, target });
  const recipients = [...new Set(routes.flatMap((route) => route.recipients))];
  const usable = queue ? "usable" : queues.has(channel) ? "unusable" : "not configured";
  const plan = planDispatch({
    open: earlier.open.filter((row) => row.channel === channel),
    routes,
    addressesOf: (own) =>
      target === undefined
        ? resolveRecipients([...alarm.recipients, ...own], teams).addresses
        : [target],
    enabled: alarm.enabled,
    channel: usable,
    now,
    certainAt: clockCheck.certainAt,
  });
  const dispatched =
    mode === "tick" && queue !== undefined
      ? await dispatch(alarm, recorded, plan, { db, run, queue, channel })
      : NOTHING_DISPATCHED;
  const left = withoutWaiting(items, plan.waiting);
  const reason = sendReason({
    items: left.fresh.length + left.continuing.length + left.cleared.length,
    enabled: alarm.enabled,
    mode,
    recipientCount: recipients.length,
    channel: usable,
  });
  const { sent, refused, errors } = dispatched;
  return {
    notice: { ...left, channel, recipients, sent, refused, reason },
    errors: [...(alarm.enabled ? faults : []), ...errors],
  };
}

/** Without what waits in an open notification, which is counted. */
function withoutWaiting(items: Items, waiting: Dispatch["waiting"]): Items {
  if (waiting.size === 0) return items;
  const omitted = { ...items.omitted };
  const isLeft = ({ eventId }: DueItem): boolean => {
    const reason = waiting.get(eventId);
    if (reason !== undefined) omitted[reason] += 1;
    return reason === undefined;
  };
  return {
    fresh: items.fresh.filter(isLeft),
    continuing: items.continuing.filter(isLeft),
    cleared: items.cleared.filter(isLeft),
    omitted,
  };
}
