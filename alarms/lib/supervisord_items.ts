import { type Detection, duration } from "swf-alarms";
import type { SupervisorEvent } from "./supervisord_event.ts";
import {
  afterMessage,
  describeMessage,
  endOfMessage,
  type Message,
  messageKey,
  messagesOf,
} from "./supervisord_message.ts";
import {
  afterState,
  describeTrouble,
  endOfTrouble,
  type ProgramTrouble,
  programKey,
  withoutProcess,
} from "./supervisord_trouble.ts";

/** What an event of the alarm is about. */
export type Item = ProgramTrouble | Message;

export interface Rules {
  /** Seconds. */
  readonly quiet: number;
  /** Types of signals that are reported. */
  readonly signals: readonly string[];
}

/** Takes an event into `items`, and returns the keys of those that went wrong. */
export function takeEvent(
  items: Map<string, Item>,
  event: SupervisorEvent,
  { quiet, signals }: Rules,
): readonly string[] {
  switch (event.kind) {
    case "state": {
      const key = programKey(event);
      const before = items.get(key);
      const known = before?.kind === "program" ? before : undefined;
      const after = afterState(known, event, quiet);
      if (after === undefined) return [];
      items.set(key, after);
      const { at, exits, isFatal } = after;
      const isNews = at !== known?.at || exits !== known.exits || isFatal !== known.isFatal;
      return isNews ? [key] : [];
    }
    case "output":
      return messagesOf(event, signals).map((message) => {
        const key = messageKey(message);
        const before = items.get(key);
        items.set(key, afterMessage(before?.kind === "program" ? undefined : before, message));
        return key;
      });
    default:
      for (const [key, item] of items)
        if (item.kind === "program") items.set(key, withoutProcess(item, event));
      return [];
  }
}

export function keyOf(item: Item): string {
  return item.kind === "program" ? programKey(item) : messageKey(item);
}

export function describeItem(item: Item): Detection {
  return item.kind === "program" ? describeTrouble(item) : describeMessage(item);
}

export interface Times {
  /** The latest line of the item's supervisord: where that is silent, nothing becomes quiet. */
  readonly clock: number;
  /** Seconds. */
  readonly quiet: number;
  readonly now: number;
}

/** Seconds after which a spool has nothing more of a supervisord. */
const GONE_AFTER = 7 * 86_400;

/** Why it is over; null if it is not. */
export function endOf(item: Item, { clock, quiet, now }: Times): string | null {
  if (now - clock > GONE_AFTER)
    return `nothing was heard of ${item.supervisor} for ${duration(now - clock)}`;
  return item.kind === "program"
    ? endOfTrouble(item, clock, quiet)
    : endOfMessage(item, clock, quiet);
}

/** Bytes of the items that are remembered. */
const MAX_BYTES = 200_000;

/** As many as can be remembered, in their order: programs before messages, and the newest ones. */
export function fitting(items: readonly Item[]): readonly Item[] {
  let bytes = 0;
  const rank = (item: Item): number => (item.kind === "program" ? 1 : 0);
  const chosen = new Set(
    items
      .toSorted((a, b) => rank(b) - rank(a) || b.at - a.at)
      .filter((item) => {
        bytes += Buffer.byteLength(JSON.stringify(item)) + 1;
        return bytes <= MAX_BYTES;
      }),
  );
  return items.filter((item) => chosen.has(item));
}
