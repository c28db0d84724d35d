import type { ListedEvent } from "../store/event_list.ts";
import { utcSecond } from "../text/utc.ts";
import { ackOf, type EventContext, mutedBy } from "./event_facts.ts";
import { renderTime } from "./output.ts";

/** An event as `event show` prints it. */
export function renderEvent(
  event: ListedEvent,
  body: string,
  earlier: readonly ListedEvent[],
  context: EventContext,
): string[] {
  const optional = (label: string, value: string | undefined): string[] =>
    value === undefined || value === "" ? [] : [`${label.padEnd(12)} ${value}`];
  const { level, peak, fired, notices, clearTime, clearReason } = event;
  const ack = ackOf(event, context.now);
  const muted = ack === undefined ? mutedBy(event, context) : undefined;
  const channels = Object.entries(notices.notified);
  return [
    event.subject,
    "",
    ...optional("id", event.id),
    ...optional("alarm", event.alarm),
    ...optional("key", event.dedupeKey),
    ...optional("state", clearTime === undefined ? "firing" : "cleared"),
    ...optional("severity", levelText(level.severity, fired?.severity, peak?.severity)),
    ...optional("stage", levelText(level.stage, fired?.stage, peak?.stage)),
    ...optional("first seen", renderTime(event.firstSeen)),
    ...optional("fired", renderTime(event.fireTime)),
    ...optional("last seen", renderTime(event.lastSeen)),
    ...optional(
      "cleared",
      clearTime === undefined ? "" : `${utcSecond(clearTime)}, because: ${clearReason ?? "-"}`,
    ),
    ...optional("acknowledged", ack && `by ${ack.by} ${ackEnd(ack)}: ${ack.reason}`),
    ...optional("muted", muted?.reason),
    ...channels.flatMap(([channel, at]) => {
      const to = notices.to[channel] ?? [];
      const sent = notices.reminders[channel] ?? 0;
      const reminders = sent > 0 ? `, and ${sent} reminder(s) since its news` : "";
      return optional(
        "notified",
        `${channel} at ${renderTime(at)}${to.length > 0 ? ` to ${to.join(" ")}` : ""}${reminders}`,
      );
    }),
    ...(channels.length === 0 ? optional("notified", "nobody yet") : []),
    ...optional("unsent", event.unsent.join(" ")),
    ...optional("recipients", notices.recipients.join(" ")),
    ...(body === "" ? [] : ["", "text:", ...body.split(/\r?\n/).map((line) => `  ${line}`)]),
    ...dataLines(event.data),
    ...(earlier.length === 0 ? [] : ["", `earlier events of this key (${earlier.length}):`]),
    ...earlier.map((each) => {
      const end = each.clearTime === undefined ? "firing" : renderTime(each.clearTime);
      return `  ${renderTime(each.fireTime)} to ${end}, ${each.clearReason ?? "-"}`;
    }),
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

function ackEnd({ until, sticky }: { until: number | undefined; sticky: boolean }): string {
  const end = until === undefined ? "until it clears" : `until ${utcSecond(until)}`;
  return sticky ? `${end}, sticky` : end;
}

function dataLines(data: ListedEvent["data"]): string[] {
  const entries = Object.entries(data);
  if (entries.length === 0) return [];
  return ["", "data:", ...entries.map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)];
}
