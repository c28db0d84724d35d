import { InvalidArgumentError } from "commander";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { planOpen } from "../core/notification.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { TICK_LOCK } from "../engine/tick_lock.ts";
import type { Database, Queryable } from "../store/database.ts";
import { findNotifications, type ListedNotification } from "../store/notification_list.ts";
import { readOpen } from "../store/open_notification.ts";
import { listTeams } from "../store/teams.ts";
import { quote } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound } from "./alarms.ts";
import { channelState } from "./channels.ts";
import { alarmOf } from "./events.ts";
import { jsonTime, renderTime } from "./output.ts";

/** Characters of an id in tables, and the fewest that commands accept. */
const SHORT = 8;

export function shortId(id: string): string {
  return id.slice(0, SHORT);
}

/** An id or its beginning. Throws InvalidArgumentError. */
export function parseId(text: string): string {
  const id = text.toLowerCase();
  if (/^[0-9a-f-]{8,36}$/.test(id)) return id;
  throw new InvalidArgumentError(`write the id, or at least its first ${SHORT} characters`);
}

/** The notification whose id begins so. Throws NotFound. */
export async function findNotification(db: Queryable, id: string): Promise<ListedNotification> {
  const [found, another] = await findNotifications(db, id);
  if (found === undefined)
    throw new NotFound(
      `there is no notification ${quote(id)}; see: bin/swf-alarms notification list --limit 0`,
    );
  if (another !== undefined)
    throw new NotFound(`several notifications begin with ${quote(id)}; write more of the id`);
  return found;
}

/** A notification in JSON, without its text. */
export function notificationFacts(item: ListedNotification) {
  return {
    id: item.id,
    alarm: item.isTest ? null : item.alarm,
    channel: item.channel,
    type: item.type,
    is_test: item.isTest,
    state: item.state,
    subject: item.subject,
    to: item.to,
    recipients: item.recipients,
    composed_at: jsonTime(item.composedAt),
    attempted_at: jsonTime(item.attemptedAt),
    attempts: item.attempts,
    finished_at: jsonTime(item.finishedAt),
    not_before: jsonTime(item.notBefore),
    pending: item.pending,
    refused: item.refused,
    given_up: item.givenUp,
    error: item.error,
    may_have_been_sent: item.mayHaveBeenSent,
    superseded_by: item.supersededBy,
    message_ids: item.messageIds,
    new_event_ids: item.newEventIds,
    continuing_event_ids: item.continuingEventIds,
    cleared_event_ids: item.clearedEventIds,
  };
}

/** How far it has come, in a table. */
export function stateCell({ state, notBefore = 0 }: ListedNotification, now: number): string {
  return notBefore > now ? `${state} until ${renderTime(notBefore)}` : state;
}

/** Whether a later tick attempts it again. */
export function isOpen({ notBefore, pending, isTest }: ListedNotification): boolean {
  return !isTest && (notBefore !== undefined || pending.length > 0);
}

/** What happens next to an open notification, and why; undefined if it is not open. */
export async function nextStep(
  db: Database,
  config: Config,
  listed: ListedNotification,
  now: number,
): Promise<string | undefined> {
  const open = isOpen(listed) ? readOpen(listed.row) : undefined;
  if (open === undefined) return undefined;
  if (listed.state === "sending" && (await db.isLocked(TICK_LOCK))) return "it is being sent now";
  // One that was archived or deleted delivers what it still has to say.
  const { row: alarm } = await alarmOf(db, config, listed.alarm);
  if (alarm.id === "") return "it waits: its alarm has no row";
  const channels = readChannels(config.channels);
  const isEmailMissing = open.channel === EMAIL && !channels.has(EMAIL);
  if (!alarm.channels.includes(open.channel) && !isEmailMissing)
    return "the next tick gives it up: the alarm no longer uses the channel";
  const { state } = channelState(open.channel, channels);
  const usable = state === "ready" ? "usable" : state === "not configured" ? state : "unusable";
  const teams = await listTeams(db);
  const target = channels.get(open.channel)?.opener?.target;
  const plan = planOpen(open, {
    addressesOf: (own) =>
      target === undefined
        ? resolveRecipients([...alarm.recipients, ...own], teams).addresses
        : [target],
    enabled: alarm.enabled,
    channel: usable,
    now,
    certainAt: now,
  });
  if (plan.kind === "attempt") return `the next tick attempts it: ${plan.reason}`;
  if (plan.kind === "extend") return `it waits: ${plan.reason}`;
  if (plan.kind !== "wait") return `the next tick gives it up: ${plan.reason}`;
  if (plan.reason !== "not before its time") return `it waits: ${plan.reason}`;
  const why =
    listed.state === "queued"
      ? "the service asked to wait"
      : "it may have been delivered, so that the repeat waits";
  return `it waits until ${utcMinute(open.notBefore)}: ${why}`;
}
