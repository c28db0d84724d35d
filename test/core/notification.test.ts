import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Earlier, judgeAttempt } from "../../src/core/attempt.ts";
import type { Delivery, DeliveryError } from "../../src/core/delivery.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import type { DueItem } from "../../src/core/notice.ts";
import {
  type Dispatch,
  type DispatchFacts,
  eventIdsOf,
  MAX_DELAY,
  type OpenNotification,
  planDispatch,
} from "../../src/core/notification.ts";
import type { Route } from "../../src/core/route.ts";
import { makeOpen } from "../support/notifications.ts";

const NOW = 1_800_000_000;
const HOUR = 3600;

/** A row that surely was not delivered, unless the test says otherwise. */
function row(id: string, more: Partial<OpenNotification> = {}): OpenNotification {
  return makeOpen({ id, since: NOW - 300, ...more });
}

/** Its result is not known. */
function unknown(id: string, more: Partial<OpenNotification> = {}): OpenNotification {
  return row(id, { state: "unknown", unknown: { count: 1, last: NOW - 300 }, ...more });
}

/** `a` fires, `-a` has cleared. */
function item(name: string): DueItem {
  const eventId = name.replace("-", "");
  const facts = { eventId, dedupeKey: eventId, fireTime: 0, notices: NO_NOTICES };
  return name.startsWith("-")
    ? { ...facts, clearTime: 5, reason: "cleared" }
    : { ...facts, reason: "unsent" };
}

/** A route for these items, given as `a,-b`. */
function route(names: string, recipients: readonly string[] = ["ann@h.example"]): Route {
  return { to: recipients, own: [], recipients, items: names.split(",").map(item) };
}

function facts(
  open: readonly OpenNotification[],
  routes: readonly Route[],
  more: Partial<DispatchFacts> = {},
): DispatchFacts {
  return {
    open,
    routes,
    // Each event is active, unless a row says otherwise.
    active: { has: () => true },
    addressesOf: (own) => ["ann@h.example", "bob@h.example", ...own],
    enabled: true,
    channel: "usable",
    now: NOW,
    certainAt: NOW,
    ...more,
  };
}

/** What is done, as short texts. */
function lines({ open, bundles, waiting }: Dispatch): readonly string[] {
  return [
    ...open.map(([{ id }, plan]) => {
      const to = plan.kind === "attempt" ? ` to ${plan.to.join()}` : "";
      return `${plan.kind} ${id}${to}: ${plan.reason}`;
    }),
    ...bundles.map(({ items, recipients }) => {
      return `send ${items.map(nameOf).join()} to ${recipients.join()}`;
    }),
    ...[...waiting].map(([id, reason]) => `${id} waits: ${reason}`),
  ];
}

function nameOf({ eventId, clearTime }: DueItem): string {
  return clearTime === undefined ? eventId : `-${eventId}`;
}

type Rows = readonly (readonly [string, DispatchFacts, readonly string[]])[];

describe("what becomes of an open notification", () => {
  const A = { newEventIds: ["a"] };
  const one = (more: Partial<OpenNotification> = {}, changes: Partial<DispatchFacts> = {}) =>
    facts([row("r", { ...A, ...more })], [], changes);
  const twice = { count: 2, last: NOW - 299 };
  const AGAIN = "attempt r to ann@h.example: not delivered";
  const rows: Rows = [
    ["it is tried again", one(), [AGAIN]],
    [
      "to those who are still recipients of the alarm",
      one({ recipients: ["ann@h.example", "old@h.example"] }),
      [AGAIN],
    ],
    [
      "or of its events",
      one({ recipients: ["own@h.example"], own: ["own@h.example"] }),
      ["attempt r to own@h.example: not delivered"],
    ],
    [
      "however these are spelled",
      one({ recipients: ["ANN@H.example"] }),
      ["attempt r to ANN@H.example: not delivered"],
    ],
    [
      "the target of a channel too",
      one({ recipients: ["alarms"] }, { addressesOf: () => ["alarms"] }),
      ["attempt r to alarms: not delivered"],
    ],
    [
      "but not if none is",
      one({ recipients: ["old@h.example"] }),
      ["give up r: no longer recipients of the alarm"],
    ],
    [
      "one that reached some: to those that are pending",
      one({
        state: "partial",
        recipients: ["ann@h.example", "bob@h.example"],
        pending: ["bob@h.example"],
      }),
      ["attempt r to bob@h.example: still pending"],
    ],
    [
      "but not if none of these is a recipient",
      one({ state: "partial", pending: ["old@h.example"] }),
      ["give up r: no longer recipients of the alarm"],
    ],
    ["until a day is over", one({ since: NOW - 24 * HOUR + 1 }), [AGAIN]],
    ["not after a day", one({ since: NOW - 24 * HOUR }), ["give up r: waited for 24 hours"]],
    [
      "a clock in doubt does not make it old",
      one({ since: NOW - 48 * HOUR }, { certainAt: NOW - 47 * HOUR }),
      [AGAIN],
    ],
    [
      "nor does one that was certain later than this one",
      one({ since: NOW - HOUR }, { certainAt: NOW + 48 * HOUR }),
      [AGAIN],
    ],
    ["also after the clock was set back", one({ since: NOW + HOUR }), [AGAIN]],
    ["not while mail is off", one({}, { enabled: false }), ["wait r: mail is off"]],
    [
      "after a day also while mail is off",
      one({ since: NOW - 24 * HOUR }, { enabled: false }),
      ["give up r: waited for 24 hours"],
    ],
    [
      "not on an unusable channel",
      one({}, { channel: "unusable" }),
      ["wait r: the channel cannot be used"],
    ],
    [
      "not without [email]",
      one({}, { channel: "not configured" }),
      ["wait r: the channel cannot be used"],
    ],
    [
      "nor do the 24 hours run then",
      one({ since: NOW - 24 * HOUR }, { channel: "not configured" }),
      ["extend r: the channel cannot be used"],
    ],
    [
      "not after all of its events are over and heard of, or held back",
      one({}, { active: new Set() }),
      ["drop r: its events are over or held back"],
    ],
    [
      "but its remaining recipients get it even so",
      one({ pending: ["bob@h.example"] }, { active: new Set() }),
      ["attempt r to bob@h.example: still pending"],
    ],
    [
      "not before its time: its events wait too",
      one({ state: "queued", notBefore: NOW + 1 }),
      ["wait r: not before its time", "a waits: the service asked to wait"],
    ],
    [
      "nor one that may have been delivered",
      one({ state: "unknown", unknown: twice, notBefore: NOW + 1 }),
      ["wait r: not before its time", "a waits: may have been mailed"],
    ],
    [
      "one that failed after an attempt with an unknown result may have been delivered",
      one({ unknown: twice, notBefore: NOW + 1 }),
      ["wait r: not before its time", "a waits: may have been mailed"],
    ],
    [
      "nor one that reached some, but its events do not wait",
      one({ state: "partial", pending: ["ann@h.example"], notBefore: NOW + 1 }),
      ["wait r: not before its time"],
    ],
    ["at its time", one({ notBefore: NOW }), [AGAIN]],
    [
      "as late as a service may ask",
      one({ state: "queued", notBefore: NOW + MAX_DELAY }),
      ["wait r: not before its time", "a waits: the service asked to wait"],
    ],
    ["a later time is that of a wrong clock", one({ notBefore: NOW + MAX_DELAY + 1 }), [AGAIN]],
  ];
  test.each(rows)("%s", (_, given, expected) => {
    expect(lines(planDispatch(given))).toEqual(expected);
  });
});

describe("open notifications and what is due now", () => {
  const AB = { newEventIds: ["a"], continuingEventIds: ["b"] };
  const REPLACED = "supersede r: a new one names all of its events";
  const AGAIN = "attempt r to ann@h.example: not delivered";
  const BOTH = ["ann@h.example", "bob@h.example"];
  const rows: Rows = [
    [
      "nothing open: one for each route",
      facts([], [route("a,-b"), route("c", BOTH)]),
      ["send a,-b to ann@h.example", "send c to ann@h.example,bob@h.example"],
    ],
    ["a route without recipients is not sent", facts([], [route("a", [])]), []],
    ["mail off: nothing", facts([], [route("a")], { enabled: false }), []],
    ["no [email]: nothing", facts([], [route("a")], { channel: "not configured" }), []],
    ["an unusable channel: nothing", facts([], [route("a")], { channel: "unusable" }), []],
    ["the same again is no reason for another", facts([row("r", AB)], [route("a,b")]), [AGAIN]],
    [
      "with other news it is said anew, together with that",
      facts([row("r", AB)], [route("a,b,c")]),
      [REPLACED, "send a,b,c to ann@h.example"],
    ],
    [
      "a clear is other news",
      facts([row("r", AB)], [route("-a,b")]),
      [REPLACED, "send -a,b to ann@h.example"],
    ],
    [
      "a clear that was not delivered is the same again",
      facts([row("r", { clearedEventIds: ["a"] })], [route("-a")]),
      [AGAIN],
    ],
    [
      "two that surely were not delivered become one",
      facts(
        [row("r", { newEventIds: ["a"] }), row("s", { state: "queued", newEventIds: ["b"] })],
        [route("a,b")],
      ),
      [REPLACED, "supersede s: a new one names all of its events", "send a,b to ann@h.example"],
    ],
    [
      "one of two that may have been delivered stays itself",
      facts(
        [row("r", { newEventIds: ["a"] }), unknown("s", { newEventIds: ["b"] })],
        [route("a,b")],
      ),
      [AGAIN, "attempt s to ann@h.example: not delivered"],
    ],
    [
      "one that may have been delivered is repeated as it was, beside the news",
      facts([unknown("r", AB)], [route("a,b,c")]),
      [AGAIN, "send c to ann@h.example"],
    ],
    [
      "it is replaced once all of its events have news",
      facts([unknown("r", AB)], [route("-a,-b")]),
      [REPLACED, "send -a,-b to ann@h.example"],
    ],
    [
      "but not if one of them has none",
      facts([unknown("r", AB)], [route("-a,b")]),
      [AGAIN, "send -a to ann@h.example"],
    ],
    [
      "what waits is not said otherwise, not even that it has cleared",
      facts([unknown("r", { ...AB, notBefore: NOW + 60 })], [route("-a,b,c")]),
      [
        "wait r: not before its time",
        "send c to ann@h.example",
        "a waits: may have been mailed",
        "b waits: may have been mailed",
      ],
    ],
    [
      "what waits is no reason either",
      facts([row("r", { ...AB, state: "queued", notBefore: NOW + 60 })], [route("a,b")]),
      [
        "wait r: not before its time",
        "a waits: the service asked to wait",
        "b waits: the service asked to wait",
      ],
    ],
    [
      "one of which an event is not due any more is repeated as it was; nothing is said twice",
      facts([row("r", AB)], [route("a,c")]),
      [AGAIN, "send c to ann@h.example"],
    ],
    [
      "pending recipients are reached, whatever is due",
      facts([row("r", { ...AB, state: "partial", pending: ["ann@h.example"] })], [route("-a,-b")]),
      ["attempt r to ann@h.example: still pending", "send -a,-b to ann@h.example"],
    ],
    [
      "other recipients make it news, and replace it",
      facts([row("r", AB)], [route("a,b", BOTH)]),
      [REPLACED, "send a,b to ann@h.example,bob@h.example"],
    ],
    [
      "also if it may have been delivered to the former ones",
      facts([unknown("r", AB)], [route("a,b", BOTH)]),
      [REPLACED, "send a,b to ann@h.example,bob@h.example"],
    ],
    [
      "the same ones in another order and spelling do not",
      facts(
        [row("r", { ...AB, recipients: ["BOB@h.example", "ann@h.example"] })],
        [route("a,b", BOTH)],
      ),
      ["attempt r to BOB@h.example,ann@h.example: not delivered"],
    ],
    [
      "several routes together replace one",
      facts([row("r", AB)], [route("a", BOTH), route("b", ["bob@h.example"])]),
      [REPLACED, "send a to ann@h.example,bob@h.example", "send b to bob@h.example"],
    ],
    [
      "given up after a day: what fires is in the next one",
      facts([row("r", { ...AB, since: NOW - 24 * HOUR })], [route("a,b")]),
      ["give up r: waited for 24 hours", "send a,b to ann@h.example"],
    ],
    [
      "what has cleared is not, except if that is news",
      facts(
        [row("r", { newEventIds: ["a"], clearedEventIds: ["b"], since: NOW - 24 * HOUR })],
        [route("-a,-b")],
      ),
      ["give up r: waited for 24 hours", "send -a to ann@h.example"],
    ],
    [
      "given up because its recipients left: others get all of it",
      facts(
        [row("r", { newEventIds: ["a"], clearedEventIds: ["b"], recipients: ["old@h.example"] })],
        [route("a,-b")],
      ),
      ["give up r: no longer recipients of the alarm", "send a,-b to ann@h.example"],
    ],
  ];
  test.each(rows)("%s", (_, given, expected) => {
    expect(lines(planDispatch(given))).toEqual(expected);
  });
});

describe("whatever is open and due", () => {
  const SETS = [["ann@h.example"], ["ann@h.example", "bob@h.example"], ["old@h.example"], []];
  const EVENTS = ["a", "b", "c", "d", "e", "f"];
  const recipients = fc.constantFrom(...SETS.slice(0, 3));
  const ids = fc.uniqueArray(fc.constantFrom(...EVENTS), { minLength: 1, maxLength: 3 });
  const lists = ids.chain((all) =>
    fc.nat(all.length).chain((first) =>
      fc.nat(all.length).map((second) => ({
        newEventIds: all.slice(0, Math.min(first, second)),
        continuingEventIds: all.slice(Math.min(first, second), Math.max(first, second)),
        clearedEventIds: all.slice(Math.max(first, second)),
      })),
    ),
  );
  const open: fc.Arbitrary<readonly OpenNotification[]> = fc
    .array(
      fc
        .record({
          events: lists,
          recipients,
          state: fc.constantFrom("failed", "queued", "unknown", "partial"),
          count: fc.nat(3),
          since: fc.constantFrom(NOW, NOW - HOUR, NOW - 24 * HOUR, NOW + HOUR),
          notBefore: fc.constantFrom(0, NOW, NOW + 1, NOW + MAX_DELAY, NOW + MAX_DELAY + 1),
        })
        .map(({ events, count, ...more }) => ({
          ...more,
          ...events,
          pending: more.state === "partial" ? more.recipients.slice(0, 1) : [],
          unknown: count === 0 && more.state !== "unknown" ? undefined : { count, last: NOW },
        })),
      { maxLength: 4 },
    )
    .map((given) => given.map((more, at) => row(`r${at}`, more)));
  /** Each event at most once, to one of the sets. */
  const routes = fc
    .array(fc.tuple(fc.constantFrom("", "", "-"), fc.constantFrom(0, 0, 1, 2, 3), fc.boolean()), {
      minLength: EVENTS.length,
      maxLength: EVENTS.length,
    })
    .map((chosen) =>
      SETS.flatMap((set, number): readonly Route[] => {
        const names = EVENTS.flatMap((id, at) => {
          const [sign, where, isDue] = chosen[at] ?? ["", 0, false];
          return isDue && where === number ? [sign + id] : [];
        });
        return names.length === 0 ? [] : [route(names.join(), set)];
      }),
    );
  const situation = fc
    .record({
      open,
      routes,
      enabled: fc.constantFrom(true, true, true, false),
      channel: fc.constantFrom("usable", "usable", "usable", "unusable", "not configured"),
    })
    .map(({ open: rows, routes: due, ...more }) => facts(rows, due, more));

  /** The ways in which the plan sees to an item. */
  const waysOf = (
    each: DueItem,
    to: readonly string[],
    given: DispatchFacts,
  ): readonly string[] => {
    const plan = planDispatch(given);
    const whole = plan.open.filter(([{ pending }]) => pending.length === 0);
    const says = ({ newEventIds, continuingEventIds, clearedEventIds }: OpenNotification) =>
      each.clearTime === undefined
        ? [...newEventIds, ...continuingEventIds].includes(each.eventId)
        : clearedEventIds.includes(each.eventId);
    const same = whole.filter(([open]) => says(open));
    const toSame = same.filter(([{ recipients: those }]) => those.join() === to.join());
    const ways: string[] = [];
    if (to.length === 0 || !given.enabled || given.channel !== "usable") ways.push("not sendable");
    for (const { items } of plan.bundles) if (items.includes(each)) ways.push("bundle");
    if (toSame.some(([, { kind }]) => kind === "attempt")) ways.push("attempt");
    if (plan.waiting.has(each.eventId) && ways.length === 0) ways.push("waits");
    if (
      each.clearTime !== undefined &&
      same.some(([, { reason }]) => reason === "waited for 24 hours")
    )
      ways.push("given up");
    return ways;
  };

  test("everything that is due is seen to, in one way if it is in one open notification at most", () => {
    fc.assert(
      fc.property(situation, (given) => {
        for (const { items, recipients: to } of given.routes)
          for (const each of items) {
            const ways = waysOf(each, to, given);
            expect(ways).not.toEqual([]);
            const named = given.open.filter((open) => eventIdsOf(open).includes(each.eventId));
            if (named.length < 2 && !ways.includes("not sendable")) expect(ways).toHaveLength(1);
          }
      }),
      { numRuns: 2_000 },
    );
  });

  test("each open notification has one plan; none that is replaced loses an event or a recipient", () => {
    fc.assert(
      fc.property(situation, (given) => {
        const { open: plans, bundles, waiting } = planDispatch(given);
        expect(plans.map(([open]) => open)).toEqual(given.open);
        const sent = bundles.flatMap(({ items }) => items.map(({ eventId }) => eventId));
        expect(new Set(sent).size).toBe(sent.length);
        for (const id of sent) expect(waiting.has(id)).toBe(false);
        for (const { recipients: to } of bundles) expect(to).not.toEqual([]);
        for (const [open, { kind }] of plans) {
          if (kind !== "supersede") continue;
          expect(open.pending).toEqual([]);
          expect(sent).toEqual(expect.arrayContaining([...eventIdsOf(open)]));
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("after an attempt", () => {
  const NONE: Delivery = {
    confirmed: [],
    refused: [],
    pending: [],
    messageIds: [],
    error: undefined,
  };
  const FIRST: Earlier = {
    refused: [],
    messageIds: [],
    unknown: undefined,
    isPartial: false,
    givenUp: [],
  };
  const DOWN: DeliveryError = {
    message: "down",
    retryable: true,
    scope: "channel",
    mayBeDelivered: false,
  };
  const LOST: DeliveryError = { ...DOWN, message: "no answer", mayBeDelivered: true };
  const busy = (retryAfter: number): DeliveryError => ({ ...DOWN, message: "busy", retryAfter });
  const BAD = { address: "bad@h", reason: "no" };
  const ONCE = { count: 1, last: NOW - 300 };
  const done = { pending: [], unknown: undefined, notBefore: undefined };
  type Row = readonly [string, Partial<Delivery>, Partial<Earlier>, object];
  const rows: readonly Row[] = [
    [
      "all have it",
      { confirmed: ["a@h"], messageIds: ["m"] },
      {},
      { ...done, state: "delivered", outcome: "delivered", messageIds: ["m"], error: undefined },
    ],
    [
      "all have it, after attempts with an unknown result",
      { confirmed: ["a@h"] },
      { unknown: { count: 3, last: NOW - 300 } },
      // The record shows that it may have been repeated.
      { ...done, state: "delivered", outcome: "delivered", unknown: { count: 3, last: NOW - 300 } },
    ],
    [
      "all have it but for refused ones",
      { confirmed: ["a@h"], refused: [BAD] },
      {},
      {
        ...done,
        state: "partial",
        outcome: "partial",
        refused: [BAD],
        error: "no (refused: bad@h)",
      },
    ],
    [
      "some have it, others are pending",
      { confirmed: ["a@h"], pending: ["b@h"], error: DOWN },
      {},
      { state: "partial", outcome: "partial", pending: ["b@h"], notBefore: NOW, error: "down" },
    ],
    [
      "some have it, others may have it",
      { confirmed: ["a@h"], pending: ["b@h"], error: LOST },
      { unknown: ONCE },
      {
        state: "partial",
        pending: ["b@h"],
        unknown: { count: 1, last: NOW },
        notBefore: NOW,
      },
    ],
    [
      "those that were pending have it",
      { confirmed: ["b@h"], messageIds: ["m2"] },
      { isPartial: true, messageIds: ["m1"] },
      { ...done, state: "delivered", outcome: "delivered", messageIds: ["m1", "m2"] },
    ],
    [
      "those that were pending have it; one was refused before",
      { confirmed: ["b@h"] },
      { isPartial: true, refused: [BAD] },
      { ...done, state: "partial", outcome: "partial", refused: [BAD] },
    ],
    [
      "those that were pending are refused",
      { refused: [BAD] },
      { isPartial: true },
      { ...done, state: "partial", outcome: "partial", refused: [BAD] },
    ],
    [
      "those that were pending have it; one was removed before",
      { confirmed: ["b@h"] },
      { isPartial: true, givenUp: ["c@h"] },
      { ...done, state: "partial", outcome: "partial" },
    ],
    [
      "those that were pending still are",
      { pending: ["b@h"], error: busy(60) },
      { isPartial: true },
      { state: "partial", outcome: "partial", pending: ["b@h"], notBefore: NOW + 60 },
    ],
    [
      "none has it: the next tick tries again",
      { pending: ["a@h"], error: DOWN },
      {},
      {
        state: "failed",
        outcome: "failed",
        pending: [],
        notBefore: NOW,
        error: "down",
        retryable: true,
      },
    ],
    [
      "none has it, and the service asked to wait",
      { pending: ["a@h"], error: busy(600) },
      {},
      { state: "queued", outcome: "failed", pending: [], notBefore: NOW + 600 },
    ],
    [
      "however long it asked for",
      { pending: ["a@h"], error: busy(1e9) },
      {},
      { state: "queued", notBefore: NOW + MAX_DELAY },
    ],
    [
      "all are refused: the next tick tries again, for a day",
      { refused: [BAD] },
      {},
      { state: "failed", outcome: "failed", refused: [BAD], notBefore: NOW, retryable: false },
    ],
    [
      "all are refused again: each is listed once",
      { refused: [BAD] },
      { refused: [BAD] },
      { state: "failed", refused: [BAD], error: "no (refused: bad@h)" },
    ],
    [
      "one that was refused before has it",
      { confirmed: ["bad@h"] },
      { refused: [BAD] },
      { ...done, state: "delivered", refused: [] },
    ],
    [
      "the answer was lost: the first repeat does not wait",
      { pending: ["a@h"], error: LOST },
      {},
      { state: "unknown", outcome: "failed", unknown: { count: 1, last: NOW }, notBefore: NOW },
    ],
    [
      "it was lost again: the next one waits",
      { pending: ["a@h"], error: LOST },
      { unknown: ONCE },
      { state: "unknown", unknown: { count: 2, last: NOW }, notBefore: NOW + 300 },
    ],
    [
      "this one surely failed: what earlier ones may have done stays on record",
      { pending: ["a@h"], error: DOWN },
      { unknown: ONCE },
      { state: "failed", unknown: ONCE, notBefore: NOW },
    ],
  ];
  test.each(rows)("%s", (_, delivery, earlier, expected) => {
    const result = judgeAttempt({ ...NONE, ...delivery }, { ...FIRST, ...earlier }, NOW);
    expect(result).toMatchObject(expected);
  });

  test("a service that loses every answer gets few mails in a day of ticks, and then no more", () => {
    let open = row("r", { newEventIds: ["a"], since: NOW, attempts: 0 });
    let kind: string = "attempt";
    for (let now = NOW; kind !== "give up"; now += 300) {
      const [[, plan] = []] = planDispatch(facts([open], [], { now, certainAt: now })).open;
      kind = plan?.kind ?? "";
      if (kind !== "attempt") continue;
      const delivery = { ...NONE, pending: ["ann@h.example"], error: LOST };
      const result = judgeAttempt(delivery, { ...open, ...FIRST, unknown: open.unknown }, now + 3);
      expect(result.notBefore).toBeGreaterThanOrEqual(now);
      open = {
        ...open,
        ...result,
        attempts: open.attempts + 1,
        error: "",
        notBefore: result.notBefore ?? 0,
      };
      expect(now).toBeLessThan(NOW + 24 * HOUR);
    }
    expect(open.attempts).toBeGreaterThan(5);
    expect(open.attempts).toBeLessThan(15);
  });
});
