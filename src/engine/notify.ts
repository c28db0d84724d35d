import { EMAIL } from "../core/alarm_channels.ts";
import { givenUpError } from "../core/delivery.ts";
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
import { compose } from "./compose.ts";
import { type DeliverFacts, deliverAgain, deliverNew } from "./deliver.ts";
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
  { db, run, unsent }: NotifyFacts,
): Promise<Earlier> {
  const clearedNow = new Set(plan.clear.map(({ event }) => event.id));
  const all = unsent.hasClears(alarm.name) ? await unsentClears(db, alarm.name) : [];
  const clears = all.filter(({ id }) => !clearedNow.has(id));
  const isRead = run.mode !== "plan" && unsent.hasOpen(alarm.entryId);
  return { clears, open: isRead ? await openNotifications(db, alarm.entryId) : [] };
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
  const dispatch = planDispatch({
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
  const errors = alarm.enabled ? [...faults] : [];
  const sent =
    mode === "tick"
      ? await send(alarm, recorded, dispatch, { db, run, queue, channel }, errors)
      : 0;
  const left = withoutWaiting(items, dispatch.waiting);
  const reason = sendReason({
    items: left.fresh.length + left.continuing.length + left.cleared.length,
    enabled: alarm.enabled,
    mode,
    recipientCount: recipients.length,
    channel: usable,
  });
  return { notice: { ...left, channel, recipients, sent, reason }, errors };
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

interface SendFacts {
  readonly db: Database;
  readonly run: Run;
  readonly queue: ChannelQueue | undefined;
  readonly channel: string;
}

/** Open notifications first. Adds to `errors`; returns how many were delivered. */
async function send(
  alarm: AlarmRow,
  recorded: Recorded,
  { open, bundles }: Dispatch,
  { db, run, queue, channel }: SendFacts,
  errors: string[],
): Promise<number> {
  let sent = 0;
  const attempt = async (
    work: (facts: DeliverFacts) => Promise<{ sent: boolean; errors: readonly string[] }>,
  ) => {
    if (queue === undefined) return;
    try {
      const delivered = await work({ db, run, queue });
      if (delivered.sent) sent += 1;
      errors.push(...delivered.errors);
    } catch (error) {
      errors.push(cannotRecord(error));
    }
  };
  const replaced: string[] = [];
  for (const [row, plan] of open) {
    if (plan.kind === "give up") {
      await db.transaction((tx) => giveUp(tx, row, plan.reason, run.clock()));
      const left = row.pending.length > 0 ? row.pending : row.recipients;
      if (plan.reason === "waited for 24 hours")
        errors.push(givenUpError({ ...row, notBefore: undefined }, left, row.error));
    } else if (plan.kind === "attempt")
      await attempt((facts) => deliverAgain(alarm.entryId, row, plan.to, facts));
    else if (plan.kind === "supersede") replaced.push(row.id);
  }
  for (const [index, route] of bundles.entries())
    await attempt(async (facts) => {
      const supersedes = index === 0 ? replaced : [];
      const composing = { db, run, channel, supersedes, queue: facts.queue };
      return await deliverNew(await compose(alarm, recorded, route, composing), facts);
    });
  return sent;
}
