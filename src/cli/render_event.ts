import { type Ack, ackAt } from "../core/ack.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { ackOf, type EventContext, mutedBy } from "./event_facts.ts";
import { line, renderTime } from "./output.ts";

/** An event as `event show` prints it. */
export function renderEvent(
  event: ListedEvent,
  body: string,
  earlier: readonly ListedEvent[],
  context: EventContext,
): string[] {
  const { notices, clearTime } = event;
  // The course shows an acknowledgement.
  const muted = ackOf(event, context.now) ? undefined : mutedBy(event, context);
  const channels = Object.entries(notices.notified);
  return [
    event.subject,
    "",
    ...line("id", event.id),
    ...line("alarm", event.alarm),
    ...line("key", event.dedupeKey),
    ...line("state", clearTime === undefined ? "firing" : "cleared"),
    ...renderCourse(event, context.now),
    ...line("muted", muted?.reason),
    ...channels.flatMap(([channel, at]) => {
      const to = notices.to[channel] ?? [];
      const sent = notices.reminders[channel] ?? 0;
      const reminders = sent > 0 ? `, and ${sent} reminder(s) since its news` : "";
      const who = to.length > 0 ? ` to ${to.join(" ")}` : "";
      return line("notified", `${channel} at ${renderTime(at)}${who}${reminders}`);
    }),
    ...(channels.length === 0 ? line("notified", "nobody yet") : []),
    ...line("unsent", event.unsent.join(" ")),
    ...line("recipients", notices.recipients.join(" ")),
    ...(body === "" ? [] : ["", "text:", ...body.split(/\r?\n/).map((text) => `  ${text}`)]),
    ...dataLines(event.data),
    ...(earlier.length === 0 ? [] : ["", `earlier events of this key (${earlier.length}):`]),
    ...earlier.map((each) => {
      const end = each.clearTime === undefined ? "firing" : renderTime(each.clearTime);
      return `  ${renderTime(each.fireTime)} to ${end}, ${each.clearReason ?? "-"}`;
    }),
  ];
}

/** What happened to the event, in the order of time. */
export function renderCourse(event: ListedEvent, now: number): string[] {
  const { fireTime, firstSeen, lastSeen, clearTime, level, peak, fired, notices } = event;
  const isSettled = fireTime !== undefined && firstSeen !== undefined && firstSeen < fireTime;
  const { newsAt, news } = notices;
  const rose = news === "severity" || news === "stage" ? `its ${news} rose at ` : undefined;
  const ack = clearTime === undefined ? ackAt(notices.ack, now) : undefined;
  const end =
    clearTime && `${renderTime(clearTime)}: ${event.clearReason ?? "no reason is on record"}`;
  return [
    ...line("first seen", isSettled ? renderTime(firstSeen) : undefined),
    ...line("fired", `${renderTime(fireTime)}: ${isSettled ? "settled" : "newly detected"}`),
    ...line("severity", levelText(level.severity, fired?.severity, peak?.severity)),
    ...line("stage", levelText(level.stage, fired?.stage, peak?.stage)),
    ...line("news", rose && `${rose}${renderTime(newsAt)}`),
    ...line("last seen", lastSeen === undefined ? undefined : renderTime(lastSeen)),
    ...line("cleared", end || undefined),
    ...line("acknowledged", ack && renderAck(ack)),
  ];
}

/** Such as `error (warning when it fired; critical at most)`. */
function levelText(
  now: string | undefined,
  fired: string | undefined,
  peak: string | undefined,
): string | undefined {
  const more = [
    ...(fired === undefined || fired === now ? [] : [`${fired} when it fired`]),
    ...(peak === undefined || peak === now ? [] : [`${peak} at most`]),
  ];
  if (now === undefined && more.length === 0) return undefined;
  return `${now ?? "none"}${more.length === 0 ? "" : ` (${more.join("; ")})`}`;
}

function renderAck({ by, at, reason, until, sticky, ended }: Ack): string {
  const end = `until ${until === undefined ? "it clears" : renderTime(until)}`;
  const over = ended && `; it ended at ${renderTime(ended.at)}: ${ended.reason}`;
  return `at ${renderTime(at)} by ${by} ${end}${sticky ? ", sticky" : ""}: ${reason}${over ?? ""}`;
}

function dataLines(data: ListedEvent["data"]): string[] {
  const entries = Object.entries(data);
  if (entries.length === 0) return [];
  return ["", "data:", ...entries.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)];
}
