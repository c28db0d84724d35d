import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AlarmRow } from "../../src/core/model.ts";
import { mailbox, resolveRecipients, splitRecipients } from "../../src/core/recipients.ts";
import { formatSettle, parseSettle } from "../../src/core/settle.ts";
import { parseAlarmRow } from "../../src/store/alarms.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { listEngineRuns } from "../../src/store/engine_runs.ts";
import { listEvents } from "../../src/store/event_list.ts";
import type { JsonValue } from "../../src/text/json.ts";
import { engineAt } from "../engine/engine_at.ts";
import { insertEntry, type RawEntry } from "../support/raw_entries.ts";
import { only } from "../support/rows.ts";
import {
  anyJson,
  mutate,
  mutations,
  ONE_LINE,
  oddNames,
  storableJson,
  storableText,
} from "./arbitraries.ts";
import { runs } from "./runs.ts";

const ALARM: JsonValue = {
  entry_id: "alarm_good",
  module: "good",
  enabled: true,
  recipients: ["ops@example.org", "@shift"],
  renotification_window_hours: 24,
  renotification_growth: 2,
  renotification_max_hours: 48,
  renotification_count: 5,
  severity: "warning",
  settle: "2/3",
  clear_after: "15m",
  notify_clear: true,
  params: { threshold: 0.1, list: ["a"], nested: { a: 1 } },
};

/** An alarm's `data`: near a right one, or anything. */
const alarmData = (value: fc.Arbitrary<JsonValue>, name: fc.Arbitrary<string>) =>
  fc.oneof(
    { weight: 3, arbitrary: mutations(value, name).map((changes) => mutate(ALARM, changes)) },
    { weight: 1, arbitrary: value },
  );

const name = fc.oneof(fc.constantFrom("entry_id", "module", "params", ...oddNames), storableText);

test("an alarm's row is read as far as it can be, or says in one line why it names none", () => {
  fc.assert(
    fc.property(alarmData(anyJson, name), storableText, (data, title) => {
      const parsed = parseAlarmRow({ id: "1", title, content: title, data, archived: false });
      if (typeof parsed === "string") expect(parsed).toMatch(ONE_LINE);
      else expectUsable(parsed);
    }),
    runs(10),
  );
});

function expectUsable(row: AlarmRow): void {
  for (const fault of [...row.faults, row.blocker ?? ""]) expect(fault).toMatch(ONE_LINE);
  expect([true, false]).toContain(row.enabled);
  const { hours, growth, maxHours = 1, count = 1 } = row.renotify;
  for (const value of [hours, growth, maxHours, count])
    expect(value >= 0 && Number.isFinite(value)).toBe(true);
  for (const rule of [row.settle, row.clearAfter])
    expect(parseSettle(formatSettle(rule) ?? "off")).toEqual(rule);
  if (row.blocker === undefined) expect(row.module).toMatch(/^[a-z][a-z0-9_]*$/);
  for (const token of row.recipients) expect(token).not.toBe("");
}

test("recipients of any row resolve to addresses, each once, and nothing is lost", () => {
  const token = fc.oneof(
    storableText,
    fc.constantFrom("a@h.org", "A@h.org", "<a@h.org>", "@x", "@__proto__", "b@h.org, c@h.org;@x"),
  );
  fc.assert(
    fc.property(fc.array(token), fc.array(token), (tokens, members) => {
      const typed = tokens.flatMap(splitRecipients);
      const team = { name: "@x", title: "", members: members.flatMap(splitRecipients) };
      const found = resolveRecipients(typed, new Map([["@x", team]]));
      for (const address of found.addresses) expect(mailbox(address)).toBe(address);
      const lower = found.addresses.map((address) => address.toLowerCase());
      expect(new Set(lower).size).toBe(lower.length);
      expect(found.faults.join()).toMatch(/^[^\p{Cc}]*$/u);
    }),
    runs(5),
  );
});

const EVENT: JsonValue = {
  entry_id: "event_good",
  fire_time: 1_700_000_000,
  clear_time: null,
  last_seen: 1_700_000_000,
  dedupe_key: "a",
  subject: "a is wrong",
  recipients: [],
  alarm_config_id: randomUUID(),
  last_notified: 1_700_000_000,
};
const RUN: JsonValue = {
  entry_id: "run_1700000000",
  started_at: 1_700_000_000,
  finished_at: 1_700_000_001,
  alarms_run: 1,
  alarms_seen: 1,
  notifications_sent: 0,
  errors: 0,
  error_details: "",
  per_alarm: { alarm_good: { enabled: true, not_configured: "x" } },
};

const like = (good: JsonValue) =>
  fc.oneof(
    { weight: 3, arbitrary: mutations(storableJson, name).map((changes) => mutate(good, changes)) },
    { weight: 1, arbitrary: storableJson },
  );

const entry: fc.Arbitrary<RawEntry> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("alarm"),
      data: like(ALARM),
      title: storableText.map(short),
      content: storableText,
      archived: fc.boolean(),
    }),
  },
  fc.record({ kind: fc.constant("event"), data: like(EVENT), title: storableText.map(short) }),
  fc.record({ kind: fc.constant("engine_run"), data: like(RUN) }),
  fc.record({
    kind: fc.constant("team"),
    context: fc.constant("teams"),
    name: fc.oneof(storableText.map(short), fc.constant("@shift")),
    content: storableText,
    data: storableJson,
  }),
);

/** As the columns for titles and names hold no more. */
function short(text: string): string {
  return [...text].slice(0, 200).join("").toWellFormed();
}

test("a tick among rows of any kind runs every alarm whose row is right, and records itself", async () => {
  const engine = await engineAt(openInMemory);
  for (const alarm of ["good", "steady"]) engine.says(alarm, { keys: ["a"] });
  await engine.tick();
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (rows) => {
      await engine.db.query("DELETE FROM entry WHERE title <> 'steady'");
      for (const row of rows) await plant(row);
      engine.now += 300;
      const report = await engine.tick();
      const steady = (report?.results ?? []).filter(
        ({ row }) => row.name === "steady" && row.title === "steady",
      );
      expect(only(steady)).toMatchObject({
        kind: "ran",
        started: true,
        outcome: { status: "complete" },
      });
      const [run] = await listEngineRuns(engine.db, 1, true);
      expect(run).toMatchObject({ finishedAt: engine.now, alarmsRun: expect.any(Number) });
      expect(Object.keys(run?.perAlarm ?? {}).sort()).toEqual(
        [...new Set((report?.results ?? []).map(({ row }) => row.entryId))].sort(),
      );
      for (const event of await listEvents(engine.db, { alarm: undefined, all: true, limit: 100 }))
        expect(typeof event.subject).toBe("string");
    }),
    runs(0.1),
  );

  /** Two rows of an event that is active, or two teams of one name, are more than the indexes let in. */
  async function plant(row: RawEntry): Promise<void> {
    try {
      await insertEntry(engine.db, row);
    } catch (error) {
      expect(String(error)).toMatch(/unique|index row|too deep|stack depth/);
    }
  }
});
