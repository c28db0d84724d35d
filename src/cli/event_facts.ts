import type { ListedEvent } from "../store/event_list.ts";
import { jsonTime } from "./output.ts";

/** An event in JSON. */
export function eventFacts(event: ListedEvent) {
  return {
    id: event.id,
    alarm: event.alarm,
    key: event.dedupeKey,
    subject: event.subject,
    fire_time: jsonTime(event.fireTime),
    last_seen: jsonTime(event.lastSeen),
    clear_time: jsonTime(event.clearTime),
    clear_reason: event.clearReason,
  };
}
