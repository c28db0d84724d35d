import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActiveEvent, Mode, Notices, Outcome } from "../../src/core/model.ts";
import { channelsToHearOfClear, NO_NOTICES } from "../../src/core/news.ts";
import { decideItems, type Items, sendReason } from "../../src/core/notice.ts";
import { reconcile } from "../../src/core/reconcile.ts";

/** All that may happen to one alarm between two ticks and in the tick. */
interface Step {
  readonly status: Outcome["status"];
  readonly detected: readonly string[];
  readonly enabled: boolean;
  readonly hours: number;
  readonly addresses: number;
  readonly isConfigured: boolean;
  readonly notifyClear: boolean;
  readonly mode: Mode;
  /** The channels that confirm. */
  readonly confirmed: readonly Channel[];
  /** Seconds that the clock moves, backwards too. */
  readonly clock: number;
}

const CHANNELS = ["email", "chat"] as const;
type Channel = (typeof CHANNELS)[number];

const KEYS = ["a", "b", "c", "d", "e"];

/** Mostly what usually happens, so that long lives are reached; each thing goes wrong at times. */
const step: fc.Arbitrary<Step> = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constant("complete" as const) },
    { weight: 1, arbitrary: fc.constantFrom("partial" as const, "failed" as const) },
  ),
  detected: fc.array(fc.constantFrom(...KEYS), { maxLength: 6 }),
  enabled: mostly(true, false),
  hours: fc.constantFrom(0, 0.5, 1, 24),
  addresses: mostly(2, 0),
  isConfigured: mostly(true, false),
  notifyClear: fc.boolean(),
  mode: fc.oneof(
    { weight: 6, arbitrary: fc.constant("tick" as const) },
    { weight: 1, arbitrary: fc.constantFrom("dry-run" as const, "plan" as const) },
  ),
  confirmed: fc.oneof(fc.constant(CHANNELS), fc.subarray([...CHANNELS])),
  clock: fc.oneof(
    fc.constantFrom(0, 300, 1799, 1800, 3599, 3600, 86_400),
    fc.integer({ min: -7200, max: 100_000 }),
  ),
});

function mostly<T>(usual: T, other: T): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constant(other) },
  );
}

/** An event row, as the store would hold it. */
interface Row {
  readonly id: string;
  readonly key: string;
  readonly notices: Notices;
  readonly cleared: boolean;
  /** Of a cleared one, the channels that have to hear of it. */
  readonly unsent: readonly string[];
}

interface Notice extends Items {
  readonly reason: ReturnType<typeof sendReason>;
}

/** The engine's decisions, applied to rows the way a tick applies them. */
class Site {
  rows: readonly Row[] = [];
  #made = 0;

  active(): readonly Row[] {
    return this.rows.filter((row) => !row.cleared);
  }

  tick(step: Step, now: number): ReadonlyMap<Channel, Notice> {
    const found = { keys: new Set(step.detected), detections: new Map() };
    const { status } = step;
    const cause = status === "failed" ? "module" : undefined;
    const outcome: Outcome = { status, cause, reasons: [], ...found, seconds: 0 };
    const events = this.active().map(({ id, key, notices }): [string, ActiveEvent] => {
      return [key, { id, dedupeKey: key, fireTime: 0, notices }];
    });
    const plan = reconcile(outcome, new Map(events));
    const opened = plan.open.map(({ dedupeKey }) => {
      return { id: `event ${this.#made++}`, dedupeKey, recipients: [] };
    });
    const alarm = { ...step, renotificationHours: step.hours };
    const notices = new Map(
      CHANNELS.map((channel): [Channel, Notice] => {
        const unsentClears = this.rows
          .filter(({ unsent }) => unsent.includes(channel))
          .map((row) => ({ ...row, dedupeKey: row.key, fireTime: 0, clearTime: 0 }));
        const items = decideItems({ alarm, channel, plan, opened, unsentClears, now });
        const reason = sendReason({
          items: idsIn(items).length,
          enabled: step.enabled,
          mode: step.mode,
          recipientCount: step.addresses,
          channel: step.isConfigured ? "usable" : "not configured",
        });
        return [channel, { ...items, reason }];
      }),
    );
    if (step.mode === "plan") return notices;
    const clears = new Map(plan.clear.map(({ event }) => [event.id, event]));
    const born = opened.map(({ id, dedupeKey }): Row => {
      return { id, key: dedupeKey, notices: NO_NOTICES, cleared: false, unsent: [] };
    });
    this.rows = [...this.rows, ...born].map((row) => {
      const event = clears.get(row.id);
      if (event === undefined) return row;
      return { ...row, cleared: true, unsent: channelsToHearOfClear(event, alarm, CHANNELS) };
    });
    for (const [channel, notice] of notices) {
      const named = new Set(
        notice.reason === "due" && step.confirmed.includes(channel) ? idsIn(notice) : [],
      );
      this.rows = this.rows.map((row) => (named.has(row.id) ? stamped(row, channel, now) : row));
    }
    return notices;
  }
}

function stamped({ notices, unsent, ...row }: Row, channel: Channel, now: number): Row {
  return {
    ...row,
    notices: { ...notices, notified: { ...notices.notified, [channel]: now } },
    unsent: unsent.filter((each) => each !== channel),
  };
}

function idsIn({ fresh, continuing, cleared }: Items): readonly string[] {
  return [...fresh, ...continuing, ...cleared].map(({ eventId }) => eventId);
}

/** The semantics of one channel in the fewest words: which keys fire, and when each was last sent. */
interface Model {
  readonly firing: ReadonlyMap<string, number | "never sent">;
  /** Keys that cleared and are still to be sent, with the reason, one for each time. */
  readonly over: readonly string[];
}

/** What the rules ask of one tick on one channel, worked out without the engine's code. */
function ruled(model: Model, channel: Channel, step: Step, now: number) {
  const before = model.firing;
  const seen = new Set(step.detected);
  const after = new Map<string, number | "never sent">();
  for (const key of KEYS) {
    const goesOn = seen.has(key) || (before.has(key) && step.status !== "complete");
    if (goesOn) after.set(key, before.get(key) ?? "never sent");
  }
  const named = new Map<string, string>();
  for (const [key, last] of after) {
    if (!before.has(key)) named.set(key, "new");
    else if (last === "never sent") named.set(key, "unsent");
    // A mail more than five minutes ahead has a wrong time, and counts as due.
    else if (
      seen.has(key) &&
      step.hours > 0 &&
      (now >= last + step.hours * 3600 || last > now + 300)
    )
      named.set(key, "renotification due");
  }
  const ended = [...before].flatMap(([key, last]) => {
    if (after.has(key) || !step.enabled) return [];
    if (last === "never sent") return [`cleared before it could be mailed ${key}`];
    return step.notifyClear ? [`cleared ${key}`] : [];
  });
  const over = [...model.over, ...ended];
  const send =
    named.size + over.length > 0 &&
    step.enabled &&
    step.addresses > 0 &&
    step.isConfigured &&
    step.mode === "tick";
  const isSent = send && step.confirmed.includes(channel);
  if (isSent) for (const key of named.keys()) after.set(key, now);
  const next: Model = { firing: after, over: isSent ? [] : over };
  return { after: step.mode === "plan" ? model : next, fires: after.size, named, over, send };
}

test("over any course of ticks the engine does what the rules ask, event by event and channel by channel", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const site = new Site();
      const models = new Map<Channel, Model>();
      let now = 1_000_000;
      for (const each of steps) {
        now += each.clock;
        const before = site.rows;
        const notices = site.tick(each, now);
        if (each.status !== "complete")
          expect(site.rows.filter(({ cleared }) => cleared)).toHaveLength(
            before.filter(({ cleared }) => cleared).length,
          );
        for (const [channel, notice] of notices) {
          const model = models.get(channel) ?? { firing: new Map(), over: [] };
          const expected = ruled(model, channel, each, now);
          models.set(channel, expected.after);
          check(site.active(), notice, channel, expected);
        }
      }
    }),
    { numRuns: 300 },
  );
});

function check(
  active: readonly Row[],
  notice: Notice,
  channel: Channel,
  expected: ReturnType<typeof ruled>,
): void {
  expect(active.map(({ key }) => key).toSorted(), "one active event for each key").toEqual(
    [...expected.after.firing.keys()].toSorted(),
  );
  for (const { key, notices } of active)
    expect(notices.notified[channel] ?? "never sent").toBe(expected.after.firing.get(key));
  const mentions = [...notice.fresh, ...notice.continuing];
  expect(new Set(idsIn(notice)).size, "no event twice").toBe(
    mentions.length + notice.cleared.length,
  );
  expect(
    notice.cleared.map(({ reason, dedupeKey }) => `${reason} ${dedupeKey}`).toSorted(),
    "what has cleared is named",
  ).toEqual(expected.over.toSorted());
  expect(new Map(mentions.map(({ dedupeKey, reason }) => [dedupeKey, reason]))).toEqual(
    expected.named,
  );
  for (const { reason } of notice.fresh) expect(reason).toBe("new");
  for (const { reason } of notice.continuing) expect(reason).not.toBe("new");
  expect(notice.reason === "due").toBe(expected.send);
  const omitted = Object.values(notice.omitted).reduce((sum, count) => sum + count, 0);
  expect(mentions.length + omitted, "every firing event is accounted for").toBe(expected.fires);
}

test("what fails tick after tick stays unsent until it is confirmed, and is sent then once, cleared or not", () => {
  const CONFIRMED = { confirmed: CHANNELS };
  const usual: Step = {
    status: "complete",
    detected: ["a"],
    enabled: true,
    hours: 0,
    addresses: 1,
    isConfigured: true,
    notifyClear: false,
    mode: "tick",
    confirmed: [],
    clock: 300,
  };
  const course: readonly [Partial<Step>, string][] = [
    [{ enabled: false }, "mail is off: new"],
    [{}, "due: unsent"],
    [{ addresses: 0 }, "no recipients: unsent"],
    [{ isConfigured: false }, "mail is not configured: unsent"],
    [{ mode: "dry-run" }, "dry run: unsent"],
    [{ status: "failed", detected: [] }, "due: unsent"],
    [{ status: "partial", detected: [], ...CONFIRMED }, "due: unsent"],
    [CONFIRMED, "nothing to mail: "],
    [{ detected: [], ...CONFIRMED }, "nothing to mail: "],
    [{}, "due: new"],
    [{ detected: [] }, "due: cleared before it could be mailed"],
    [{}, "due: new,cleared before it could be mailed"],
    [CONFIRMED, "due: unsent,cleared before it could be mailed"],
    [{ detected: [], ...CONFIRMED }, "nothing to mail: "],
    [CONFIRMED, "due: new"],
    [{ detected: [], notifyClear: true }, "due: cleared"],
    [{ detected: [], ...CONFIRMED }, "due: cleared"],
    [{ enabled: false }, "mail is off: new"],
    [{ enabled: false, detected: [], notifyClear: true }, "nothing to mail: "],
  ];
  const site = new Site();
  const found = course.map(([changes], index) => {
    const notices = site.tick({ ...usual, ...changes }, index * 300);
    return [...notices.values()].map(({ reason, fresh, continuing, cleared }) => {
      return `${reason}: ${[...fresh, ...continuing, ...cleared].map((item) => item.reason).join()}`;
    });
  });
  expect(found).toEqual(course.map(([, expected]) => [expected, expected]));
});
