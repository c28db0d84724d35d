import type { Bundle, ListedItem } from "../core/bundle.ts";
import { alarmName } from "../core/event_key.ts";
import { cut } from "../text/describe.ts";
import { headerText, plainText } from "../text/escape.ts";
import { rfc3339 } from "../text/utc.ts";
import { optionalFacts } from "./item_facts.ts";
import type { Message } from "./render.ts";

/** Bytes of a body; many receivers accept no more. */
export const MAX_WEBHOOK_BODY = 20_000;

/** Longest texts. The head of a body must leave room for events. */
const LIMITS = { line: 300, description: 2_000, caveats: 10, text: 6_000 };

/**
 * A bundle as the body of a webhook. Of what does not fit, the bodies of the last events are left out first, then the
 * last events.
 */
export function webhookBody(bundle: Bundle): string {
  const { time, fresh, continuing, cleared, freshCount, continuingCount, clearedCount } = bundle;
  const total = freshCount + continuingCount + clearedCount;
  const render = (events: readonly object[]): string => {
    const middle = fresh.length + continuing.length;
    const omitted = total - events.length;
    return envelope(time, {
      ...headOf(bundle),
      counts: { new: freshCount, continuing: continuingCount, cleared: clearedCount },
      new: events.slice(0, fresh.length),
      continuing: events.slice(fresh.length, middle),
      cleared: events.slice(middle),
      ...(omitted > 0 && { omitted }),
    });
  };
  const room = MAX_WEBHOOK_BODY - sizeOf(render([]));
  const items = [...fresh, ...continuing, ...cleared];
  const facts = items.map(factsOf);
  // A comma stands before each.
  const sizes = facts.map((each) => sizeOf(JSON.stringify(each)) + 1);
  const listed = countThatFits(sizes, room);
  const bodies = items.slice(0, listed).map(bodyOf);
  const left = room - sizes.slice(0, listed).reduce((sum, size) => sum + size, 0);
  const whole = countThatFits(
    bodies.map((body) => sizeOf(JSON.stringify(body)) - 1),
    left,
  );
  return render(
    facts
      .slice(0, listed)
      .map((each, index) => (index < whole ? { ...each, ...bodies[index] } : each)),
  );
}

/** A notification of which only the text of its mail is on record. */
export function storedWebhookBody(outgoing: Message & { alarm: string; time: number }): string {
  const { alarm, subject, text, time } = outgoing;
  return envelope(time, {
    alarm: line(alarmName(alarm)),
    title: line(subject),
    time: rfc3339(time),
    text: cut(plainText(text), LIMITS.text),
  });
}

function envelope(time: number, data: object): string {
  return JSON.stringify({ type: "bundle", timestamp: rfc3339(time), data });
}

function headOf({ entryId, title, description, time, caveats, ...bundle }: Bundle) {
  return {
    alarm: line(alarmName(entryId)),
    title: line(title),
    ...(description !== "" && { description: cut(plainText(description), LIMITS.description) }),
    time: rfc3339(time),
    caveats: caveats.slice(0, LIMITS.caveats).map(line),
    ...(bundle.mayBeDuplicate && { may_be_duplicate: true }),
    ...(bundle.isTest && { test: true }),
  };
}

function factsOf(item: ListedItem) {
  return {
    event_id: item.eventId,
    dedupe_key: item.dedupeKey,
    subject: line(item.subject),
    fire_time: rfc3339(item.fireTime),
    ...(item.clearTime !== undefined && { clear_time: rfc3339(item.clearTime) }),
    reason: item.reason,
    ...optionalFacts(item, line),
    ...(item.mayBeDuplicate && { may_be_duplicate: true }),
  };
}

function bodyOf({ body }: ListedItem) {
  return body === "" ? {} : { body: plainText(body) };
}

function line(text: string): string {
  return cut(headerText(text), LIMITS.line);
}

/** How many from the start fit into the room together. */
function countThatFits(sizes: readonly number[], room: number): number {
  let left = room;
  const end = sizes.findIndex((size) => {
    left -= size;
    return left < 0;
  });
  return end < 0 ? sizes.length : end;
}

function sizeOf(text: string): number {
  return Buffer.byteLength(text);
}
