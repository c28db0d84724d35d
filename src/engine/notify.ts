import { EMAIL } from "../core/alarm_channels.ts";
import type { Refused } from "../core/delivery.ts";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow, Team } from "../core/model.ts";
import { muteOf } from "../core/mute/mute.ts";
import {
  type DueItem,
  decideItems,
  type Items,
  type Notice,
  type UnsentClear,
} from "../core/notice.ts";
import { type Dispatch, type OpenNotification, planDispatch } from "../core/notification.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { type Route, routeItems } from "../core/route.ts";
import { type SendFacts, sendReason } from "../core/send_reason.ts";
import type { Database } from "../store/database.ts";
import { forgetUnsent } from "../store/stamps.ts";
import { openNotifications, type Unsent, unsentClears } from "../store/unsent.ts";
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
  /** Whether anything could be delivered. */
  readonly usable: SendFacts["channel"];
  /** Addresses, or the target of the channel. */
  readonly recipients: readonly string[];
  /** Notifications that were delivered. */
  readonly sent: number;
  /** Addresses that the service refused. */
  readonly refused: readonly Refused[];
  /** In a plan: what it has to say by recipients, and what of that a tick would send as new notifications. */
  readonly planned?: { readonly routes: readonly Route[]; readonly bundles: readonly Route[] };
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
  if (recorded.error !== undefined) return { notices: [], errors: [], notes: [] };
  try {
    const earlier = await readEarlier(alarm, recorded, facts);
    const notes = await dropUnused(alarm, earlier, facts);
    const results = await Promise.all(
      alarm.channels.map((channel) => notifyOn(channel, alarm, recorded, earlier, facts)),
    );
    return {
      notices: results.map(({ notice }) => notice),
      errors: [...new Set(results.flatMap((result) => result.errors))],
      notes,
    };
  } catch (error) {
    const message = `cannot record the notification: ${errorText(error)}; its events stay unsent`;
    return { notices: [], errors: [message], notes: [] };
  }
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

/** Ends what waits for channels that the alarm no longer uses; `[email]` may be missing for a while. Returns notes. */
async function dropUnused(
  alarm: AlarmRow,
  { clears, open }: Earlier,
  { db, run, queues }: NotifyFacts,
): Promise<readonly string[]> {
  const notes: string[] = [];
  if (run.mode !== "tick") return notes;
  const now = run.clock();
  const isUnused = (channel: string): boolean =>
    !alarm.channels.includes(channel) && (channel !== EMAIL || queues.has(EMAIL));
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
  return notes;
}

/** The alarm `engine` notifies without being asked to: where it has no recipients, its clears wait for none. */
async function dropUnaddressed(
  channel: string,
  alarm: AlarmRow,
  routes: readonly Route[],
  { db, run }: NotifyFacts,
): Promise<void> {
  if (run.mode !== "tick" || alarm.name !== ENGINE) return;
  const items = routes.flatMap((route) => (route.to.length === 0 ? route.items : []));
  const ids = items.flatMap((item) => (item.clearTime === undefined ? [] : [item.eventId]));
  if (ids.length === 0) return;
  await db.transaction((tx) => forgetUnsent(tx, ids, channel, run.clock()));
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
  const due = [...items.fresh, ...items.continuing, ...items.cleared].map((item) =>
    withOwnRecipients(item, recorded.outcome),
  );
  const target = queue?.target;
  const { routes, faults } = routeItems(due, { alarm, teams, channel, target });
  const recipients = [...new Set(routes.flatMap((route) => route.recipients))];
  await dropUnaddressed(channel, alarm, routes, facts);
  const usable = queue ? "usable" : queues.has(channel) ? "unusable" : "not configured";
  const open = earlier.open.filter((row) => row.channel === channel);
  const plan = planDispatch({
    open,
    routes,
    active: open.length === 0 ? new Set() : activeIds(recorded, channel, now),
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
    mode === "tick"
      ? await dispatch(alarm, recorded, plan, { db, run, queue, channel })
      : NOTHING_DISPATCHED;
  const left = withoutWaiting(items, plan.waiting);
  const reason = sendReason({
    items: left.fresh.length + left.continuing.length + left.cleared.length,
    enabled: alarm.enabled,
    mode,
    recipientCount: recipients.length,
    channel: usable,
    isClosed: queue?.closed !== undefined,
  });
  const { sent, refused, errors } = dispatched;
  const planned = mode === "plan" && { planned: { routes, bundles: plan.bundles } };
  return {
    notice: { ...left, channel, usable, recipients, sent, refused, reason, ...planned },
    errors: [...(alarm.enabled ? faults : []), ...errors],
  };
}

/** Without the events that are held back. */
function activeIds({ plan, opened }: Recorded, channel: string, now: number): ReadonlySet<string> {
  const known = [...plan.touch, ...plan.keep].flatMap(({ event }) =>
    muteOf({ event, channel, now }) === undefined ? [event.id] : [],
  );
  return new Set([...known, ...opened.map(({ id }) => id)]);
}

/** What is detected now goes to those whom its detection names now. */
function withOwnRecipients(item: DueItem, { detections }: Recorded["outcome"]): DueItem {
  const { recipients } = (item.clearTime === undefined && detections.get(item.dedupeKey)) || {};
  return recipients ? { ...item, notices: { ...item.notices, recipients } } : item;
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
