import type { ListedEvent } from "../store/event_list.ts";
import type { ListedNotification } from "../store/notification_list.ts";
import { duration } from "../text/utc.ts";
import type { ChannelVerdict } from "./channel_verdict.ts";
import { shortId, stateCell } from "./notifications.ts";
import { line, renderTable, renderTime } from "./output.ts";
import type { PendingDetection } from "./pending.ts";
import { renderCourse } from "./render_event.ts";
import type { WhyFacts } from "./why_facts.ts";

export interface WhyAnswer extends WhyFacts {
  readonly alarm: string;
  readonly key: string;
  /** Of the entity: the firing one first, then the newest. */
  readonly events: readonly ListedEvent[];
  readonly pending: PendingDetection | undefined;
  readonly channels: readonly ChannelVerdict[];
  /** That name one of the events, newest first. */
  readonly notifications: readonly ListedNotification[];
  readonly now: number;
}

/** The state first, then the course of the newest event, its channels, its notifications and earlier events. */
export function renderWhy(answer: WhyAnswer): string[] {
  const { alarm, key, state, reason, events, pending, channels, now } = answer;
  const [event, ...earlier] = events;
  const subject = pending?.subject ?? event?.subject;
  const current = pending === undefined ? event : undefined;
  return [
    `${key} of ${alarm}: ${renderState(answer)}`,
    ...line("why", state === "firing" ? reason : undefined),
    ...line("subject", subject),
    ...(current === undefined ? [] : renderCourse(current, now)),
    ...channels.flatMap((verdict) => renderChannel(verdict, "the next tick notifies")),
    ...renderNotifications(answer),
    ...renderEarlier(pending === undefined ? earlier : events),
  ];
}

function renderState({ state, reason, events, now }: WhyAnswer): string {
  const { fireTime = now, clearTime = now } = events[0] ?? {};
  const [since, until] = [renderTime(fireTime), renderTime(clearTime)];
  if (state === "firing") return `firing since ${since}, for ${duration(now - fireTime)}`;
  if (state === "cleared")
    return `cleared at ${until}, after ${duration(clearTime - fireTime)}: ${reason}`;
  return `${state}: ${reason}`;
}

/** `would` is what a tick does that notifies. */
export function renderChannel(verdict: ChannelVerdict, would: string): string[] {
  const { channel, notifiedAt, notifies, held, reason, to, nextReminder } = verdict;
  const last =
    notifiedAt === undefined ? "not notified" : `last notified at ${renderTime(notifiedAt)}`;
  if (notifies) return line("channel", `${channel}: ${last}; ${would} ${to.join(", ")}: ${reason}`);
  if (held === undefined) return line("channel", `${channel}: ${last}; nothing is due: ${reason}`);
  const until = held.until === undefined ? "" : ` until ${renderTime(held.until)}`;
  return [
    ...line("channel", `${channel}: ${last}; held back${until}: ${reason}`),
    ...line("", nextReminder ? `the next reminder is due at ${renderTime(nextReminder)}` : ""),
  ];
}

function renderNotifications({ notifications, events, now }: WhyAnswer): string[] {
  if (events.length === 0) return [];
  const rows = notifications.map((item) => [
    renderTime(item.composedAt),
    shortId(item.id),
    item.channel,
    namedAs(item, events),
    stateCell(item, now),
    item.to.join(" "),
    item.error ?? "",
  ]);
  const headings = ["COMPOSED", "ID", "CHANNEL", "NAMED AS", "STATE", "TO"];
  const all = rows.some((row) => row.at(-1) !== "") ? [...headings, "ERROR"] : headings;
  return ["", "notifications:", ...renderTable(all, rows, "none has named it")];
}

/** As what a notification names the entity. */
export function namedAs(item: ListedNotification, events: readonly ListedEvent[]): string {
  const names = (ids: readonly string[]): boolean => events.some(({ id }) => ids.includes(id));
  if (names(item.newEventIds)) return "new";
  return names(item.clearedEventIds) ? "cleared" : "continuing";
}

function renderEarlier(events: readonly ListedEvent[]): string[] {
  if (events.length === 0) return [];
  const rows = events.map((event) => [
    renderTime(event.fireTime),
    renderTime(event.clearTime),
    event.clearReason ?? "-",
    event.subject,
  ]);
  return ["", "earlier events:", ...renderTable(["FIRED", "CLEARED", "WHY", "SUBJECT"], rows, "")];
}
