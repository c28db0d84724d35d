import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  MAX_WEBHOOK_BODY,
  storedWebhookBody,
  webhookBody,
} from "../../src/message/webhook_data.ts";
import { anyText } from "../fuzz/arbitraries.ts";
import {
  anyFacts,
  makeBundle,
  makeItem,
  makeOutgoing,
  TICK,
  WITH_FACTS,
} from "../support/bundles.ts";

test("every fact of a bundle is in it", () => {
  const bundle = makeBundle({
    description: "What to do.\nSecond line.",
    fresh: [makeItem("a", { body: "line one\n  line two" })],
    continuing: [makeItem("b", { reason: "unsent", mayBeDuplicate: true })],
    cleared: [makeItem("c", { fireTime: TICK - 600.5, clearTime: TICK })],
    clearedCount: 4,
    caveats: ["page 2 failed"],
    mayBeDuplicate: true,
    isTest: true,
  });
  const time = "2026-11-26T01:00:00Z";
  const event = (key: string, more: object = {}) => ({
    event_id: `id of ${key}`,
    dedupe_key: key,
    subject: `${key} fails`,
    fire_time: time,
    reason: "new",
    ...more,
  });
  expect(JSON.parse(webhookBody(bundle))).toEqual({
    type: "bundle",
    timestamp: time,
    data: {
      alarm: "x",
      title: "Alarm X",
      description: "What to do.\nSecond line.",
      time,
      counts: { new: 1, continuing: 1, cleared: 4 },
      new: [event("a", { body: "line one\n  line two" })],
      continuing: [event("b", { reason: "unsent", may_be_duplicate: true })],
      cleared: [event("c", { fire_time: "2026-11-26T00:49:59Z", clear_time: time })],
      omitted: 3,
      caveats: ["page 2 failed"],
      may_be_duplicate: true,
      test: true,
    },
  });
});

test("severity, stage, what changed, reminders and why an event cleared", () => {
  const { data } = JSON.parse(webhookBody(WITH_FACTS));
  const common = ["event_id", "dedupe_key", "subject", "fire_time"];
  const without = (event: object) =>
    Object.fromEntries(Object.entries(event).filter(([key]) => !common.includes(key)));
  expect([...data.new, ...data.continuing, ...data.cleared].map(without)).toEqual([
    { reason: "new", severity: "critical", stage: "early", first_seen: "2026-11-26T00:45:00Z" },
    {
      reason: "severity rose",
      severity: "error",
      changes: ["severity warning when it fired, error now", "15.6% when it fired, 20.3% now"],
    },
    { reason: "renotification due", reminder: { number: 5, final: true } },
    {
      clear_time: "2026-11-26T01:00:00Z",
      reason: "cleared",
      severity: "error",
      stage: "late",
      clear_reason: "late by <120 s>",
    },
  ]);
});

test("what does not apply is left out", () => {
  const { data } = JSON.parse(webhookBody(makeBundle({ fresh: [makeItem("a")] })));
  expect(Object.keys(data)).toEqual([
    "alarm",
    "title",
    "time",
    "caveats",
    "counts",
    "new",
    "continuing",
    "cleared",
  ]);
});

describe("a body of at most 20 kB", () => {
  const items = (from: string, count: number, body: string) =>
    Array.from({ length: count }, (_, index) => makeItem(`${from}${index}`, { body }));

  test("bodies of the last events are left out first", () => {
    const fresh = items("a", 30, "y".repeat(1_000));
    const { data } = JSON.parse(webhookBody(makeBundle({ fresh })));
    const whole = data.new.findIndex((each: object) => !("body" in each));
    expect(data.new).toHaveLength(30);
    expect(whole).toBeGreaterThan(10);
    expect(data.new.slice(whole).every((each: object) => !("body" in each))).toBe(true);
    expect(data).not.toHaveProperty("omitted");
  });

  test("then the last events, and their number is there", () => {
    const [fresh, cleared] = [items("a", 100, ""), items("c", 100, "")];
    const bundle = makeBundle({ fresh, cleared, freshCount: 1_000 });
    const body = webhookBody(bundle);
    const { data } = JSON.parse(body);
    expect(data.new).toHaveLength(100);
    expect(data.cleared.length).toBeLessThan(100);
    expect(data.omitted).toBe(1_100 - 100 - data.cleared.length);
    // Nearly full.
    expect(Buffer.byteLength(body)).toBeGreaterThan(MAX_WEBHOOK_BODY - 300);
  });

  const text = fc.oneof(
    anyText,
    fc.constantFrom("\0".repeat(3_000), "é".repeat(9_000), "😀".repeat(5_000), '"\\'.repeat(5_000)),
  );
  const item = fc
    .record({ key: text, subject: text, body: text, time: fc.double(), facts: anyFacts(text) })
    .map(({ key, subject, body, time, facts }) =>
      makeItem(key, { subject, body, fireTime: time, ...facts }),
    );
  const list = fc.array(item, { maxLength: 30 });
  const bundles = fc
    .record({
      entryId: text,
      title: text,
      description: text,
      time: fc.double(),
      caveats: fc.array(text, { maxLength: 20 }),
      fresh: list,
      continuing: list,
      cleared: list,
    })
    .map(makeBundle);

  test("whatever the texts and times; it is JSON, and no event is lost without being counted", () => {
    fc.assert(
      fc.property(bundles, (bundle) => {
        const body = webhookBody(bundle);
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_WEBHOOK_BODY);
        const { data } = JSON.parse(body);
        const listed = [data.new, data.continuing, data.cleared].flat();
        const { fresh, continuing, cleared } = bundle;
        const keys = [...fresh, ...continuing, ...cleared].map(({ dedupeKey }) => dedupeKey);
        expect(listed.map(({ dedupe_key }) => dedupe_key)).toEqual(keys.slice(0, listed.length));
        expect(listed.length + (data.omitted ?? 0)).toBe(keys.length);
      }),
    );
  });

  test("also where only the text of a mail is on record", () => {
    fc.assert(
      fc.property(text, text, (subject, mail) => {
        const body = storedWebhookBody(makeOutgoing({ subject, text: mail, bundle: undefined }));
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(MAX_WEBHOOK_BODY);
        expect(JSON.parse(body)).toMatchObject({ type: "bundle", data: { alarm: "x" } });
      }),
    );
  });
});
