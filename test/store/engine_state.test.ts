import { describe, expect, test } from "vitest";
import { NOTHING_SETTLING, type Settling } from "../../src/core/reconcile.ts";
import type { Pending } from "../../src/core/settle.ts";
import {
  alarmStateOf,
  readStates,
  saveAlarmState,
  saveSettling,
  saveSourceState,
  saveState,
  settlingOf,
  sourceStateOf,
  sourceStates,
} from "../../src/store/engine_state.ts";
import { migrate } from "../../src/store/migrate.ts";
import type { JsonValue } from "../../src/text/json.ts";
import { DATABASES } from "../support/databases.ts";
import { insertEntry, only, readEntries } from "../support/rows.ts";

const STATE = {
  failures: 3,
  cause: "it broke\u0000",
  fingerprint: "f",
  quarantine: { since: 1, pause: 2, wait: 3, triedAt: 4.5, lookedAt: 5 },
};

describe.each(DATABASES)("on $kind", ({ open }) => {
  test("a state is one row, written, changed, emptied and written again", async () => {
    const db = await open();
    try {
      await migrate(db);
      await db.transaction((tx) => saveState(tx, "quarantine", "x", { failures: 1 }, 100));
      const first = only(await readEntries(db, "engine_state"));
      expect(first).toMatchObject({
        name: "state:quarantine:x",
        title: "State of quarantine x",
        status: "active",
        data: { entry_id: "state_quarantine_x", failures: 1 },
        timestamp_created: 100,
      });
      await db.transaction((tx) => saveState(tx, "quarantine", "x", { failures: 2 }, 200));
      expect(only(await readEntries(db, "engine_state"))).toMatchObject({
        id: first.id,
        data: { failures: 2 },
        timestamp_created: 100,
        timestamp_modified: 200,
      });
      await db.transaction((tx) => saveState(tx, "quarantine", "x", undefined, 300));
      expect(await readStates(db)).toEqual(new Map());
      expect(only(await readEntries(db, "engine_state"))).toMatchObject({
        status: "done",
        data: { entry_id: "state_quarantine_x" },
      });
      await db.transaction((tx) => saveState(tx, "quarantine", "x", { failures: 3 }, 400));
      expect([...(await readStates(db)).keys()]).toEqual(["state:quarantine:x"]);
    } finally {
      await db.close();
    }
  });

  test("states are read as they were saved; unreadable and archived rows are skipped", async () => {
    const db = await open();
    try {
      await migrate(db);
      await db.transaction((tx) => saveAlarmState(tx, "x", STATE, 1));
      const longName = "é".repeat(300);
      await db.transaction((tx) => saveAlarmState(tx, longName, { ...STATE, failures: 7 }, 1));
      await db.transaction((tx) => saveSourceState(tx, "main", { since: 1, cause: "c" }, 1));
      for (const data of [
        null,
        "text",
        [],
        {},
        { failures: "1" },
        { kind: "unreachable", since: "now" },
      ])
        await insertEntry(db, {
          kind: "engine_state",
          name: `state:quarantine:${JSON.stringify(data)}`,
          data,
        });
      await insertEntry(db, {
        kind: "engine_state",
        name: "state:source:gone",
        data: { kind: "recovered", since: 1, until: 2 },
        archived: true,
      });
      const states = await readStates(db);
      expect(alarmStateOf(states, "x")).toEqual({ ...STATE, cause: "it broke\ufffd" });
      expect(alarmStateOf(states, longName)).toMatchObject({ failures: 7 });
      expect(alarmStateOf(states, "y")).toBeUndefined();
      for (const broken of ["{}", '{"failures":"1"}', "null"])
        expect(alarmStateOf(states, broken)).toBeUndefined();
      expect(sourceStateOf(states, "main")).toEqual({ since: 1, cause: "c" });
      expect(sourceStates(states).map(({ source }) => source)).toEqual(["main"]);
    } finally {
      await db.close();
    }
  });

  test("what settles is read as it was saved, whatever its keys, and its row is emptied and used again", async () => {
    const db = await open();
    try {
      await migrate(db);
      const odd = `'; -- "\\ $1 漢😀\u2028\u0007`;
      const keys = ["source:main", "__proto__", "constructor", "entry_id", "pending", "", " ", odd];
      const pending = new Map(
        keys.map((key, n) => [
          key,
          { firstSeen: n + 0.125, hits: "01".repeat(n + 1), subject: key },
        ]),
      );
      const clearing = new Map(keys.map((key) => [key, { firstSeen: 1e9, hits: "1" }]));
      const save = (settling: Settling, now: number) =>
        db.transaction((tx) => saveSettling(tx, "x", settling, now));
      const saved = async () => settlingOf(await readStates(db), "x");
      await save({ pending, clearing }, 100);
      expect(await saved()).toEqual({ pending, clearing });
      expect(settlingOf(await readStates(db), "y")).toEqual(NOTHING_SETTLING);
      for (const part of ["pending", "clearing"] as const) {
        const one = { ...NOTHING_SETTLING, [part]: clearing };
        await save(one, 200);
        expect(await saved()).toEqual(one);
      }
      await save(NOTHING_SETTLING, 300);
      expect(await readStates(db)).toEqual(new Map());
      const { id, ...emptied } = only(await readEntries(db, "engine_state"));
      expect(emptied).toMatchObject({
        name: "state:pending:x",
        title: "State of pending x",
        status: "done",
        data: { entry_id: "state_pending_x" },
        timestamp_created: 100,
        timestamp_modified: 300,
      });
      expect(emptied.data).not.toHaveProperty("pending");
      expect(emptied.data).not.toHaveProperty("clearing");
      await save({ pending, clearing }, 400);
      expect(await saved()).toEqual({ pending, clearing });
      expect(only(await readEntries(db, "engine_state"))).toMatchObject({ id, status: "active" });
    } finally {
      await db.close();
    }
  });

  test("10,000 keys settle at once", async () => {
    const db = await open();
    try {
      await migrate(db);
      const entry = { firstSeen: 1_790_000_000.5, hits: "1".repeat(100), subject: "漢".repeat(20) };
      const pending = new Map(Array.from({ length: 10_000 }, (_, n) => [`task:${n}`, entry]));
      const settling = { pending, clearing: pending };
      await db.transaction((tx) => saveSettling(tx, "x", settling, 100));
      expect(settlingOf(await readStates(db), "x")).toEqual(settling);
    } finally {
      await db.close();
    }
  });

  test("rows of earlier versions are read, without what they say about mails", async () => {
    const db = await open();
    try {
      await migrate(db);
      const quarantine = { since: 1, pause: 2, wait: 3, tried_at: 4, looked_at: 5, told: false };
      const recovery = { since: 1, until: 2, told: true };
      const alarm = { failures: 3, cause: "c", fingerprint: "f", quarantine, recovery };
      const outage = { kind: "unreachable", since: 1, cause: "c", notified: true };
      const rows: readonly [string, string, object][] = [
        ["quarantine", "x", alarm],
        ["quarantine", "y", { ...alarm, failures: 0, quarantine: null }],
        ["source", "old", { ...outage, kind: "trouble", told: false }],
        ["source", "main", outage],
        ["source", "well", { kind: "recovered", since: 1, until: 2 }],
      ];
      for (const [what, id, data] of rows)
        await db.transaction((tx) => saveState(tx, what, id, data, 100));
      const states = await readStates(db);
      const read = { failures: 3, cause: "c", fingerprint: "f" };
      const known = { since: 1, pause: 2, wait: 3, triedAt: 4, lookedAt: 5 };
      expect(alarmStateOf(states, "x")).toEqual({ ...read, quarantine: known });
      expect(alarmStateOf(states, "y")).toEqual({ ...read, failures: 0, quarantine: undefined });
      const state = { since: 1, cause: "c" };
      expect(sourceStates(states)).toEqual([
        { source: "main", state },
        { source: "old", state },
      ]);
    } finally {
      await db.close();
    }
  });
});

const FIRST = { first_seen: 1.5 };
test.each<[string, JsonValue, Pending]>([
  ["a number of outcomes, of an earlier version", { k: { ...FIRST, hits: 3 } }, known("111")],
  [
    "the largest number of an earlier version",
    { k: { ...FIRST, hits: 100 } },
    known("1".repeat(100)),
  ],
  ["none, of an earlier version", { k: { ...FIRST, hits: 0 } }, new Map()],
  ["more than any rule needs", { k: { ...FIRST, hits: 101 } }, new Map()],
  ["a number below 0", { k: { ...FIRST, hits: -1 } }, new Map()],
  ["more outcomes than any rule needs", { k: { ...FIRST, hits: "1".repeat(101) } }, new Map()],
  ["no outcomes", { k: { ...FIRST, hits: "" } }, new Map()],
  ["outcomes of another kind", { k: { ...FIRST, hits: "12" } }, new Map()],
  ["more keys than known", { k: { ...FIRST, hits: "10", more: 5 } }, known("10")],
  ["a time of another type", { k: { first_seen: "1", hits: "1" } }, new Map()],
  ["a subject of another type", { k: { ...FIRST, hits: "1", subject: 5 } }, new Map()],
  ["no time", { k: { hits: "1" } }, new Map()],
  [
    "null for an entry, which costs no other",
    { a: null, b: [], c: 5, k: { ...FIRST, hits: "1" } },
    known("1"),
  ],
  ["a list of entries", [{ ...FIRST, hits: "1" }], new Map()],
  ["null", null, new Map()],
  ["a text", "k", new Map()],
])("what somebody else wrote of what settles: %s", async (_, rows, expected) => {
  expect(settlingOf(new Map([["state:pending:x", { pending: rows }]]), "x")).toEqual({
    ...NOTHING_SETTLING,
    pending: expected,
  });
  expect(settlingOf(new Map([["state:pending:x", { clearing: rows }]]), "x")).toEqual({
    ...NOTHING_SETTLING,
    clearing: expected,
  });
});

function known(hits: string): Pending {
  return new Map([["k", { firstSeen: 1.5, hits }]]);
}
