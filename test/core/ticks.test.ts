import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActiveEvent, Mode, Outcome } from "../../src/core/model.ts";
import { decideNotice, type Notice } from "../../src/core/notice.ts";
import { reconcile } from "../../src/core/reconcile.ts";

/** All that may happen to one alarm between two ticks and in the tick. */
interface Step {
  readonly status: Outcome["status"];
  readonly detected: readonly string[];
  readonly enabled: boolean;
  readonly hours: number;
  readonly addresses: number;
  readonly mailConfigured: boolean;
  readonly mode: Mode;
  /** Whether the mail service confirms. */
  readonly confirmed: boolean;
  /** Seconds that the clock moves, backwards too. */
  readonly clock: number;
}

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
  mailConfigured: mostly(true, false),
  mode: fc.oneof(
    { weight: 6, arbitrary: fc.constant("tick" as const) },
    { weight: 1, arbitrary: fc.constantFrom("dry-run" as const, "plan" as const) },
  ),
  confirmed: mostly(true, false),
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
  readonly lastNotified: number | undefined;
  readonly cleared: boolean;
  /** Over, and still to be told. */
  readonly owed: boolean;
}

/** The engine's decisions, applied to rows the way a tick applies them. */
class Site {
  rows: readonly Row[] = [];
  #made = 0;

  active(): readonly Row[] {
    return this.rows.filter((row) => !row.cleared);
  }

  tick(step: Step, now: number): Notice {
    const found = { keys: new Set(step.detected), detections: new Map() };
    const { status } = step;
    const cause = status === "failed" ? "module" : undefined;
    const outcome: Outcome = { status, cause, reasons: [], ...found, seconds: 0 };
    const events = this.active().map(({ id, key, lastNotified }): [string, ActiveEvent] => {
      return [key, { id, dedupeKey: key, fireTime: 0, lastNotified }];
    });
    const plan = reconcile(outcome, new Map(events));
    const opened = plan.open.map(({ dedupeKey }) => ({ id: `event ${this.#made++}`, dedupeKey }));
    const notice = decideNotice({
      alarm: { enabled: step.enabled, renotificationHours: step.hours },
      plan,
      opened,
      unsentClears: this.rows
        .filter(({ owed }) => owed)
        .map(({ id, key }) => ({ id, dedupeKey: key, fireTime: 0, clearTime: 0 })),
      recipientCount: step.addresses,
      mailConfigured: step.mailConfigured,
      mode: step.mode,
      now,
    });
    if (step.mode === "plan") return notice;
    const gone = new Set(plan.clear.map(({ event }) => event.id));
    const told = new Set(notice.send && step.confirmed ? idsIn(notice) : []);
    this.rows = [
      ...this.rows.map((row) =>
        gone.has(row.id)
          ? { ...row, cleared: true, owed: step.enabled && row.lastNotified === undefined }
          : row,
      ),
      ...opened.map(({ id, dedupeKey }): Row => {
        return {
          id,
          key: dedupeKey,
          lastNotified: undefined,
          cleared: false,
          owed: false,
        };
      }),
    ].map((row) => (told.has(row.id) ? { ...row, lastNotified: now, owed: false } : row));
    return notice;
  }
}

function idsIn({ fresh, continuing, cleared }: Notice): readonly string[] {
  return [...fresh, ...continuing, ...cleared].map(({ eventId }) => eventId);
}

/** The semantics in the fewest words: which keys fire, and when each was last told. */
interface Model {
  readonly firing: ReadonlyMap<string, number | "never told">;
  /** Keys that were over before anybody was told, one for each time. */
  readonly over: readonly string[];
}

/** What the rules ask of one tick, worked out without the engine's code. */
function ruled(model: Model, step: Step, now: number) {
  const before = model.firing;
  const seen = new Set(step.detected);
  const after = new Map<string, number | "never told">();
  for (const key of KEYS) {
    const goesOn = seen.has(key) || (before.has(key) && step.status !== "complete");
    if (goesOn) after.set(key, before.get(key) ?? "never told");
  }
  const told = new Map<string, string>();
  for (const [key, last] of after) {
    if (!before.has(key)) told.set(key, "new");
    else if (last === "never told") told.set(key, "unsent");
    // A mail more than five minutes ahead has a wrong time, and counts as due.
    else if (
      seen.has(key) &&
      step.hours > 0 &&
      (now >= last + step.hours * 3600 || last > now + 300)
    )
      told.set(key, "renotification due");
  }
  const untold = [...before.keys()].filter(
    (key) => !after.has(key) && before.get(key) === "never told" && step.enabled,
  );
  const over = [...model.over, ...untold];
  const send =
    told.size + over.length > 0 &&
    step.enabled &&
    step.addresses > 0 &&
    step.mailConfigured &&
    step.mode === "tick";
  const isTold = send && step.confirmed;
  if (isTold) for (const key of told.keys()) after.set(key, now);
  const next: Model = { firing: after, over: isTold ? [] : over };
  return { after: step.mode === "plan" ? model : next, fires: after.size, told, over, send };
}

test("over any course of ticks the engine does what the rules ask, event by event", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const site = new Site();
      let model: Model = { firing: new Map(), over: [] };
      let now = 1_000_000;
      for (const each of steps) {
        now += each.clock;
        const expected = ruled(model, each, now);
        const before = site.rows;
        const notice = site.tick(each, now);
        model = expected.after;

        const active = site.active();
        expect(active.map(({ key }) => key).toSorted(), "one active event for each key").toEqual(
          [...model.firing.keys()].toSorted(),
        );
        for (const { key, lastNotified } of active)
          expect(lastNotified ?? "never told").toBe(model.firing.get(key));
        if (each.status !== "complete")
          expect(site.rows.filter(({ cleared }) => cleared)).toHaveLength(
            before.filter(({ cleared }) => cleared).length,
          );

        const mentions = [...notice.fresh, ...notice.continuing];
        expect(new Set(idsIn(notice)).size, "no event twice in a bundle").toBe(
          mentions.length + notice.cleared.length,
        );
        expect(
          notice.cleared.map(({ dedupeKey }) => dedupeKey).toSorted(),
          "what was over before anybody was told is told",
        ).toEqual(expected.over.toSorted());
        expect(new Map(mentions.map(({ dedupeKey, reason }) => [dedupeKey, reason]))).toEqual(
          expected.told,
        );
        for (const { reason } of notice.fresh) expect(reason).toBe("new");
        for (const { reason } of notice.continuing) expect(reason).not.toBe("new");
        expect(notice.send).toBe(expected.send);
        const omitted = Object.values(notice.omitted).reduce((sum, count) => sum + count, 0);
        expect(mentions.length + omitted, "every firing event is accounted for").toBe(
          expected.fires,
        );
      }
    }),
    { numRuns: 300 },
  );
});

test("a mail that fails tick after tick is owed until one is confirmed, and told then once, over or not", () => {
  const usual: Step = {
    status: "complete",
    detected: ["a"],
    enabled: true,
    hours: 0,
    addresses: 1,
    mailConfigured: true,
    mode: "tick",
    confirmed: false,
    clock: 300,
  };
  const course: readonly [Partial<Step>, string][] = [
    [{ enabled: false }, "mail is off: new"],
    [{}, "due: unsent"],
    [{ addresses: 0 }, "no recipients: unsent"],
    [{ mailConfigured: false }, "mail is not configured: unsent"],
    [{ mode: "dry-run" }, "dry run: unsent"],
    [{ status: "failed", detected: [] }, "due: unsent"],
    [{ status: "partial", detected: [], confirmed: true }, "due: unsent"],
    [{ confirmed: true }, "nothing to mail: "],
    [{ detected: [], confirmed: true }, "nothing to mail: "],
    [{}, "due: new"],
    [{ detected: [] }, "due: cleared before it could be mailed"],
    [{}, "due: new,cleared before it could be mailed"],
    [{ confirmed: true }, "due: unsent,cleared before it could be mailed"],
    [{ detected: [], confirmed: true }, "nothing to mail: "],
    [{ enabled: false }, "mail is off: new"],
    [{ enabled: false, detected: [] }, "nothing to mail: "],
  ];
  const site = new Site();
  const told = course.map(([changes], index) => {
    const { reason, fresh, continuing, cleared } = site.tick({ ...usual, ...changes }, index * 300);
    return `${reason}: ${[...fresh, ...continuing, ...cleared].map((mention) => mention.reason).join()}`;
  });
  expect(told).toEqual(course.map(([, expected]) => expected));
});
