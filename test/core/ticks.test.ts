import fc from "fast-check";
import { expect, test } from "vitest";
import type { Ack } from "../../src/core/ack.ts";
import { type Level, NO_LEVEL, SEVERITIES } from "../../src/core/level.ts";
import type { ActiveEvent, Mode, Notices, Outcome } from "../../src/core/model.ts";
import { channelsToHearOfClear, NO_NOTICES } from "../../src/core/news.ts";
import { decideItems, type Items } from "../../src/core/notice.ts";
import { NOTHING_SETTLING, reconcile, settlingAfter } from "../../src/core/reconcile.ts";
import type { RenotifyRule } from "../../src/core/renotify.ts";
import { sendReason } from "../../src/core/send_reason.ts";
import type { SettleRule } from "../../src/core/settle.ts";
import { makeOutcome } from "../support/outcomes.ts";
import { NO_REMINDERS } from "../support/reminders.ts";

/** All that may happen to one alarm between two ticks and in the tick. */
interface Step {
  readonly status: Outcome["status"];
  readonly detected: readonly string[];
  /** Of detections that have a severity or a stage of their own. */
  readonly levels: { readonly [key: string]: Level };
  /** Keys of which the module says that they have ended; what it also detects goes on. */
  readonly ended: readonly string[];
  /** Prefixes of keys about which the outcome proves nothing. */
  readonly scopes: readonly string[];
  /** What a person does before the tick. */
  readonly person: Deed | undefined;
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

interface Deed {
  readonly key: string;
  readonly what: "acknowledges" | "takes it back";
  readonly sticky: boolean;
  /** Seconds; undefined: until it clears. */
  readonly lasts: number | undefined;
}

/** What does not change in a course. */
interface Settings {
  readonly settle: SettleRule | undefined;
  readonly clearAfter: SettleRule | undefined;
  readonly severity: Level["severity"];
  readonly renotify: Omit<RenotifyRule, "hours">;
}

const CHANNELS = ["email", "chat"] as const;
type Channel = (typeof CHANNELS)[number];

const KEYS = ["a", "b", "c", "d", "e"];
const STAGES = ["first", "second", "third"];

const level: fc.Arbitrary<Level> = fc.record({
  severity: fc.constantFrom(undefined, ...SEVERITIES),
  stage: fc.constantFrom(undefined, ...STAGES),
});

/** Mostly what usually happens, so that long lives are reached; each thing goes wrong at times. */
const step: fc.Arbitrary<Step> = fc.record({
  status: fc.oneof(
    { weight: 3, arbitrary: fc.constant("complete" as const) },
    { weight: 1, arbitrary: fc.constantFrom("partial" as const, "failed" as const) },
  ),
  detected: fc.oneof(
    fc.array(fc.constantFrom(...KEYS), { maxLength: 6 }),
    fc.constantFrom(["a"], ["a", "b"], KEYS),
  ),
  levels: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.dictionary(fc.constantFrom(...KEYS), level) },
  ),
  ended: fc.oneof(
    { weight: 5, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray(KEYS) },
  ),
  scopes: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.subarray([...KEYS, "aa"], { minLength: 1 }) },
  ),
  person: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.record({
        key: fc.constantFrom(...KEYS),
        what: mostly("acknowledges" as const, "takes it back" as const),
        sticky: fc.boolean(),
        lasts: fc.constantFrom(undefined, 1, 3600, 10_000),
      }),
    },
  ),
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

const rule: fc.Arbitrary<SettleRule | undefined> = fc.constantFrom(
  undefined,
  undefined,
  { hits: 2, of: 2 },
  { hits: 2, of: 3 },
  { hits: 3, of: 5 },
  { seconds: 900 },
  { seconds: 7200 },
);

const settings: fc.Arbitrary<Settings> = fc.record({
  settle: rule,
  clearAfter: rule,
  severity: fc.constantFrom(undefined, "warning" as const),
  renotify: fc.record({
    growth: fc.constantFrom(1, 1, 2),
    maxHours: fc.constantFrom(undefined, 3),
    count: fc.constantFrom(undefined, 1, 3),
  }),
});

function mostly<T>(usual: T, other: T): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constant(other) },
  );
}

/** An event row, as the store would hold it. */
interface Row {
  readonly event: ActiveEvent;
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
  #settling = NOTHING_SETTLING;
  #made = 0;
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  active(): readonly ActiveEvent[] {
    return this.rows.flatMap(({ cleared, event }) => (cleared ? [] : [event]));
  }

  /** As `event ack` and `event unack` do it. */
  act({ key, what, sticky, lasts }: Deed, now: number): void {
    this.rows = this.rows.map((row) => {
      const { event, cleared } = row;
      if (cleared || event.dedupeKey !== key) return row;
      const { ack, reminders } = event.notices;
      const until = lasts === undefined ? undefined : now + lasts;
      const made: Ack = { by: "ana", reason: "known", at: now, until, sticky, ended: undefined };
      const ended = ack && { ...ack, ended: { at: now, reason: "by operator" as const } };
      const notices: Notices =
        what === "acknowledges"
          ? { ...event.notices, ack: made }
          : { ...event.notices, ack: ended, reminders: ended ? {} : reminders };
      return { ...row, event: { ...event, notices } };
    });
  }

  tick(step: Step, now: number): ReadonlyMap<Channel, Notice> {
    const { settle, clearAfter, severity, renotify } = this.#settings;
    const detected = new Set(step.detected);
    const outcome = makeOutcome({
      status: step.status,
      keys: detected,
      levels: new Map(Object.entries(step.levels).filter(([key]) => detected.has(key))),
      clears: new Map(step.ended.filter((key) => !detected.has(key)).map((key) => [key, "done"])),
      scopes: new Map(step.scopes.map((each) => [each, { reason: "no", isReported: false }])),
    });
    const plan = reconcile({
      outcome,
      active: new Map(this.active().map((event) => [event.dedupeKey, event])),
      settling: this.#settling,
      alarm: { severity, clearAfter },
      settleOf: settle && (() => settle),
      stages: STAGES,
      now,
    });
    const opened = plan.open.map(({ dedupeKey, level }) => {
      return { id: `event ${this.#made++}`, dedupeKey, recipients: [], level };
    });
    const alarm = { ...step, renotify: { ...renotify, hours: step.hours } };
    const notices = new Map(
      CHANNELS.map((channel): [Channel, Notice] => {
        const unsentClears = this.rows
          .filter(({ unsent }) => unsent.includes(channel))
          .map(({ event, unsent }) => ({ ...event, unsent, clearTime: 0 }));
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
    this.#settling = settlingAfter(plan);
    const touched = new Map(plan.touch.map(({ event }) => [event.id, event]));
    const clears = new Map(plan.clear.map(({ event }) => [event.id, event]));
    const born = opened.map(({ id, dedupeKey, level }): Row => {
      const notices = { ...NO_NOTICES, newsAt: now };
      const event = { id, dedupeKey, fireTime: now, notices, level, peak: level };
      return { event, cleared: false, unsent: [] };
    });
    this.rows = [...this.rows, ...born].map((row) => {
      const { id } = row.event;
      const event = clears.get(id);
      if (event === undefined) return { ...row, event: touched.get(id) ?? row.event };
      return { ...row, cleared: true, unsent: channelsToHearOfClear(event, alarm, CHANNELS, now) };
    });
    for (const [channel, notice] of notices) {
      const named = new Set(
        notice.reason === "due" && step.confirmed.includes(channel) ? idsIn(notice) : [],
      );
      this.rows = this.rows.map((row) =>
        named.has(row.event.id) ? stamped(row, channel, now) : row,
      );
    }
    return notices;
  }
}

/** As `stampNotified` does it. */
function stamped({ event, unsent, ...row }: Row, channel: Channel, now: number): Row {
  const { notified, reminders, newsAt = 0, ...rest } = event.notices;
  const last = notified[channel];
  const isReminder = last !== undefined && last >= newsAt && last < now;
  const sent = isReminder ? { [channel]: (reminders[channel] ?? 0) + 1 } : {};
  const times = Object.entries(notified).map(([each, at]) => {
    return [each, newsAt > now && at < newsAt ? Math.min(at, now - 0.001) : at] as const;
  });
  const notices: Notices = {
    ...rest,
    newsAt: Math.min(newsAt, now),
    notified: { ...Object.fromEntries(times), [channel]: now },
    reminders: { ...reminders, ...sent },
  };
  return {
    ...row,
    event: { ...event, notices },
    unsent: unsent.filter((each) => each !== channel),
  };
}

function idsIn({ fresh, continuing, cleared }: Items): readonly string[] {
  return [...fresh, ...continuing, ...cleared].map(({ eventId }) => eventId);
}

/** What the rules know of one entity that fires. */
interface Fired {
  readonly severity: number;
  readonly stage: number;
  readonly ack: { readonly until: number; readonly sticky: boolean } | undefined;
  /** Where the reminders began anew. */
  readonly anew: number;
  /** Of the latest news, by channel: not heard yet. */
  readonly news: ReadonlyMap<Channel, string>;
  readonly last: ReadonlyMap<Channel, number>;
  readonly reminders: ReadonlyMap<Channel, number>;
  /** Whether it was there in each outcome that looked, since it fired. */
  readonly looks: readonly Look[];
}

interface Look {
  readonly at: number;
  readonly is: "seen" | "gone";
}

/** The semantics in the fewest words, worked out without the engine's code. */
class Rules {
  #firing = new Map<string, Fired>();
  /** Of what does not fire: whether it was there in each outcome that looked. */
  #looks = new Map<string, readonly Look[]>();
  /** By channel, what cleared and is still to be sent, with the reason. */
  #over = new Map<Channel, readonly string[]>(CHANNELS.map((channel) => [channel, []]));
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  act({ key, what, sticky, lasts = Number.POSITIVE_INFINITY }: Deed, now: number): void {
    const fired = this.#firing.get(key);
    if (fired === undefined) return;
    if (what === "acknowledges")
      this.#firing.set(key, { ...fired, ack: { until: now + lasts, sticky } });
    else if (fired.ack !== undefined || fired.anew > 0)
      this.#firing.set(key, { ...fired, ack: undefined, anew: now, reminders: new Map() });
  }

  tick(step: Step, now: number) {
    const firing = new Map<string, Fired>();
    const looks = new Map<string, readonly Look[]>();
    const over = new Map(this.#over);
    const named = new Map<Channel, Map<string, string>>(
      CHANNELS.map((channel) => [channel, new Map()]),
    );
    for (const key of KEYS) {
      const seen = step.detected.includes(key);
      const ended = !seen && step.ended.includes(key);
      const isSeen = step.status === "complete" && !step.scopes.includes(key);
      const isLook = seen || (isSeen && !ended);
      const look = isLook ? [{ at: now, is: seen ? "seen" : "gone" } as const] : [];
      const before = this.#firing.get(key);
      if (before === undefined) {
        const all = [...(this.#looks.get(key) ?? []), ...look];
        if (seen && isOver(this.#settings.settle, all, "seen", now))
          firing.set(key, this.#born(key, step));
        else if (!ended) looks.set(key, all);
        continue;
      }
      const all = [...before.looks, ...look];
      const isGone = !seen && isLook && isOver(this.#settings.clearAfter, all, "gone", now);
      if (ended || isGone) {
        for (const channel of CHANNELS) {
          const text = this.#clearText(before, channel, step, now);
          if (text !== undefined)
            over.set(channel, [...(over.get(channel) ?? []), `${text} ${key}`]);
        }
        continue;
      }
      firing.set(key, { ...(seen ? this.#again(before, key, step, now) : before), looks: all });
    }
    for (const [key, fired] of firing)
      for (const channel of CHANNELS) {
        const seen = step.detected.includes(key);
        const isNew = !this.#firing.has(key);
        const text = isNew ? "new" : this.#named(fired, channel, { step, seen, now });
        if (text !== undefined) named.get(channel)?.set(key, text);
      }
    const sends = (channel: Channel): boolean =>
      (named.get(channel)?.size ?? 0) + (over.get(channel)?.length ?? 0) > 0 &&
      step.enabled &&
      step.addresses > 0 &&
      step.isConfigured &&
      step.mode === "tick";
    const expected = CHANNELS.map((channel) => {
      return {
        channel,
        fires: firing.size,
        keys: [...firing.keys()],
        named: named.get(channel) ?? new Map<string, string>(),
        over: over.get(channel) ?? [],
        send: sends(channel),
      };
    });
    if (step.mode === "plan") return { expected, keys: [...this.#firing.keys()] };
    for (const channel of CHANNELS.filter((each) => sends(each) && step.confirmed.includes(each))) {
      over.set(channel, []);
      for (const [key, text] of named.get(channel) ?? []) {
        const fired = firing.get(key);
        if (fired !== undefined) firing.set(key, heard(fired, channel, text, now));
      }
    }
    this.#firing = firing;
    this.#looks = looks;
    this.#over = over;
    return { expected, keys: [...firing.keys()] };
  }

  #levelOf(key: string, step: Step) {
    const { severity = this.#settings.severity, stage } = step.levels[key] ?? NO_LEVEL;
    return {
      severity: severity === undefined ? -1 : SEVERITIES.indexOf(severity),
      stage: stage === undefined ? -1 : STAGES.indexOf(stage),
    };
  }

  #born(key: string, step: Step): Fired {
    const unheard = CHANNELS.map((channel) => [channel, "unsent"] as const);
    return {
      ...this.#levelOf(key, step),
      ack: undefined,
      anew: 0,
      news: new Map(unheard),
      last: new Map(),
      reminders: new Map(),
      looks: [],
    };
  }

  /** Detected again. */
  #again(before: Fired, key: string, step: Step, now: number): Fired {
    const found = this.#levelOf(key, step);
    const isWorse = found.severity > before.severity;
    const isLater = found.stage > before.stage;
    const { ack } = before;
    const after: Fired = {
      ...before,
      severity: Math.max(found.severity, before.severity),
      stage: Math.max(found.stage, before.stage),
    };
    const isTimeOver = ack !== undefined && ack.until <= now;
    const isBroken = ack !== undefined && !ack.sticky && (isWorse || isLater);
    const anew = isTimeOver ? ack.until : isBroken ? now : before.anew;
    const free = isTimeOver || isBroken ? { ack: undefined, anew, reminders: new Map() } : {};
    if (!isWorse && !isLater) return { ...after, ...free };
    const text = isWorse ? "severity rose" : "stage advanced";
    const news = new Map(
      CHANNELS.map((channel) => [channel, before.last.has(channel) ? text : "unsent"]),
    );
    return { ...after, ...free, news, reminders: new Map() };
  }

  #named(
    { news, last, ack, anew, reminders }: Fired,
    channel: Channel,
    { step, seen, now }: { readonly step: Step; readonly seen: boolean; readonly now: number },
  ): string | undefined {
    const at = last.get(channel);
    if (at === undefined) return "unsent";
    const isHeld = ack !== undefined && ack.until > now;
    if (news.has(channel)) return isHeld ? undefined : news.get(channel);
    const { growth, maxHours = Number.POSITIVE_INFINITY, count } = this.#settings.renotify;
    const sent = reminders.get(channel) ?? 0;
    const isDone = count !== undefined && sent >= count;
    if (!seen || step.hours <= 0 || isHeld || isDone) return undefined;
    const wait = Math.min(step.hours * growth ** sent, maxHours) * 3600;
    // The end of an acknowledgement more than five minutes ahead has a wrong time.
    const since = anew > now + 300 ? at : Math.max(at, anew);
    const isDue = Math.floor(now / 60) >= Math.floor((since + wait) / 60);
    // A mail more than five minutes ahead has a wrong time, and counts as due.
    return isDue || at > now + 300 ? "renotification due" : undefined;
  }

  #clearText(
    { news, last, ack }: Fired,
    channel: Channel,
    step: Step,
    now: number,
  ): string | undefined {
    if (!step.enabled) return undefined;
    if (!last.has(channel)) return "cleared before it could be mailed";
    const isHeld = ack !== undefined && ack.until > now;
    return step.notifyClear || (news.has(channel) && !isHeld) ? "cleared" : undefined;
  }
}

/** Whether a rule is fulfilled by an entity that was there, or gone, in these outcomes. */
function isOver(
  rule: SettleRule | undefined,
  looks: readonly Look[],
  is: Look["is"],
  now: number,
): boolean {
  if (rule === undefined) return true;
  if ("hits" in rule)
    return looks.slice(-rule.of).filter((look) => look.is === is).length >= rule.hits;
  const other = looks.findLastIndex((look) => look.is !== is);
  const since = Math.min(...looks.slice(other + 1).map(({ at }) => at));
  return Math.floor(now / 60) * 60 - Math.floor(since / 60) * 60 >= rule.seconds;
}

function heard(fired: Fired, channel: Channel, text: string, now: number): Fired {
  const { news, last, reminders } = fired;
  const isReminder = text === "renotification due" && (last.get(channel) ?? now) < now;
  return {
    ...fired,
    news: new Map([...news].filter(([each]) => each !== channel)),
    last: new Map([...last, [channel, now]]),
    reminders: isReminder
      ? new Map([...reminders, [channel, (reminders.get(channel) ?? 0) + 1]])
      : reminders,
  };
}

test("over any course of ticks and deeds the engine does what the rules ask, event by event and channel by channel", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), settings, (steps, given) => {
      const site = new Site(given);
      const rules = new Rules(given);
      let now = 1_000_000;
      for (const each of steps) {
        now += each.clock;
        if (each.person !== undefined) {
          site.act(each.person, now);
          rules.act(each.person, now);
        }
        const notices = site.tick(each, now);
        const { expected, keys } = rules.tick(each, now);
        expect(
          site
            .active()
            .map(({ dedupeKey }) => dedupeKey)
            .toSorted(),
          "one active event for each key",
        ).toEqual(keys.toSorted());
        for (const one of expected) check(notices.get(one.channel), one);
      }
    }),
    { numRuns: 400 },
  );
}, 120_000);

interface Expected {
  readonly fires: number;
  readonly named: ReadonlyMap<string, string>;
  readonly over: readonly string[];
  readonly send: boolean;
}

function check(notice: Notice | undefined, expected: Expected): void {
  if (notice === undefined) throw new Error("no notice");
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
    levels: {},
    ended: [],
    scopes: [],
    person: undefined,
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
  const site = new Site({
    settle: undefined,
    clearAfter: undefined,
    severity: undefined,
    renotify: NO_REMINDERS,
  });
  const found = course.map(([changes], index) => {
    const notices = site.tick({ ...usual, ...changes }, index * 300);
    return [...notices.values()].map(({ reason, fresh, continuing, cleared }) => {
      return `${reason}: ${[...fresh, ...continuing, ...cleared].map((item) => item.reason).join()}`;
    });
  });
  expect(found).toEqual(course.map(([, expected]) => [expected, expected]));
});
