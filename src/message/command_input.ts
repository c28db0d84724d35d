import type { Bundle, ListedItem } from "../core/bundle.ts";
import { alarmName } from "../core/event_key.ts";
import { headerText, plainText } from "../text/escape.ts";
import { rfc3339 } from "../text/utc.ts";
import { optionalFacts } from "./item_facts.ts";
import type { Message } from "./render.ts";

export interface NotificationFacts extends Pick<Message, "subject" | "text"> {
  /** UUID, the same for each attempt. */
  readonly id: string;
  /** The alarm's `entry_id`. */
  readonly alarm: string;
  /** Epoch seconds. */
  readonly time: number;
  readonly recipients: readonly string[];
  /** Undefined where an earlier version recorded only the text. */
  readonly bundle: Bundle | undefined;
}

/** A notification as a program of the site reads it: one JSON object. docs/configuration.md describes its keys. */
export function commandInput(facts: NotificationFacts) {
  const { id, alarm, subject, text, recipients, time, bundle } = facts;
  return {
    id,
    alarm: alarmName(alarm),
    subject: headerText(subject),
    text,
    to: recipients,
    time: rfc3339(time),
    may_be_duplicate: bundle?.mayBeDuplicate === true,
    test: bundle?.isTest === true,
    counts: {
      new: bundle?.freshCount ?? 0,
      continuing: bundle?.continuingCount ?? 0,
      cleared: bundle?.clearedCount ?? 0,
    },
    new: bundle?.fresh.map(itemFacts) ?? [],
    continuing: bundle?.continuing.map(itemFacts) ?? [],
    cleared: bundle?.cleared.map(itemFacts) ?? [],
    caveats: bundle?.caveats.map(headerText) ?? [],
  };
}

function itemFacts(item: ListedItem) {
  return {
    event_id: item.eventId,
    dedupe_key: item.dedupeKey,
    subject: headerText(item.subject),
    body: plainText(item.body),
    fire_time: rfc3339(item.fireTime),
    ...(item.clearTime === undefined ? {} : { clear_time: rfc3339(item.clearTime) }),
    reason: item.reason,
    ...optionalFacts(item, headerText),
    may_be_duplicate: item.mayBeDuplicate,
  };
}
