import { type EventRow, type History, rowOf } from "./history.ts";
import type { Received } from "./received.ts";
import { ENGINE } from "./world.ts";

/** An event that a message names. */
export interface Mention {
  readonly message: Received;
  /** The channel, the alarm, the tick and what the message says, for a complaint. */
  readonly line: string;
  readonly says: "firing" | "cleared";
  readonly mayBeRepeat: boolean;
  /** Undefined if no row is that event, or its notification's row does not name it. */
  readonly event: EventRow | undefined;
}

/** Every event that every message names, in order. */
export function mentions(history: History): readonly Mention[] {
  const byId = new Map(history.events.map((event) => [event.id, event]));
  return history.messages.flatMap((message) => {
    const row = rowOf(history, message);
    const events = (ids: readonly string[] = []) => ids.flatMap((id) => byId.get(id) ?? []);
    const left = {
      NEW: [...events(row?.newIds)],
      CONTINUING: [...events(row?.continuingIds)],
      CLEARED: [...events(row?.clearedIds)],
    };
    return message.named.map(({ heading, subject, eventId, mayBeRepeat }): Mention => {
      const isOver = heading !== "NEW" && heading !== "CONTINUING";
      const own = isOver ? left.CLEARED : left[heading];
      // A message has the cleared ones under two headings.
      const index = isOver ? own.findIndex((event) => event.subject === subject) : 0;
      const [event] = index < 0 ? [] : own.splice(index, 1);
      const fits =
        event !== undefined &&
        (eventId ?? event.id) === event.id &&
        event.alarm === message.alarm &&
        isItsSubject(subject, heading, event);
      return {
        message,
        line: `${message.channel}, ${message.alarm}, tick ${message.tick}: "${heading}: ${subject}"`,
        says: isOver ? "cleared" : "firing",
        mayBeRepeat,
        event: fits ? event : undefined,
      };
    });
  });
}

/**
 * A subject says in which tick it was seen. A new event and one that has cleared keep the one that they fired with; an
 * event that continues is shown as the tick that composed the message saw it.
 */
function isItsSubject(subject: string, heading: string, event: EventRow): boolean {
  if (heading !== "CONTINUING") return event.subject === subject;
  return event.alarm === ENGINE || event.key === subject.split("@")[0];
}

export interface Repeat {
  readonly mention: Mention;
  readonly earlier: readonly Mention[];
}

/** Mentions that say of an event what earlier messages on the same channel had said. */
export function repeats(named: readonly Mention[]): readonly Repeat[] {
  const said = new Map<string, Mention[]>();
  const found: Repeat[] = [];
  for (const mention of named) {
    const { event, says, message } = mention;
    if (event === undefined) continue;
    const key = `${message.channel} ${says} ${event.id}`;
    const earlier = said.get(key) ?? [];
    if (earlier.length > 0) found.push({ mention, earlier });
    said.set(key, [...earlier, mention]);
  }
  return found;
}

/** The messages that say something again. */
export function repeatedMessages(named: readonly Mention[]): ReadonlySet<Received> {
  return new Set(repeats(named).map(({ mention }) => mention.message));
}
