import { describe, expect, test } from "vitest";
import {
  alarmStateOf,
  pendingOf,
  readStates,
  saveAlarmState,
  savePending,
  saveSourceState,
  saveState,
  sourceStateOf,
  sourceStates,
} from "../../src/store/engine_state.ts";
import { migrate } from "../../src/store/migrate.ts";
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

  test("what is pending is read as it was saved, whatever its keys; unreadable entries are skipped", async () => {
    const db = await open();
    try {
      await migrate(db);
      const keys = ["source:main", "__proto__", "constructor", "entry_id"];
      const pending = new Map(keys.map((key, hits) => [key, { firstSeen: 1.5, hits }]));
      await db.transaction((tx) => savePending(tx, "x", pending, 100));
      expect(pendingOf(await readStates(db), "x")).toEqual(pending);
      expect(pendingOf(await readStates(db), "y")).toEqual(new Map());
      await db.transaction((tx) => savePending(tx, "x", new Map(), 200));
      expect(await readStates(db)).toEqual(new Map());
      const broken = { a: null, b: { first_seen: 1, hits: "1" }, c: { first_seen: 1, hits: 2 } };
      await db.transaction((tx) => saveState(tx, "pending", "x", { pending: broken }, 300));
      await db.transaction((tx) => saveState(tx, "pending", "y", { pending: [] }, 300));
      const states = await readStates(db);
      expect(pendingOf(states, "x")).toEqual(new Map([["c", { firstSeen: 1, hits: 2 }]]));
      expect(pendingOf(states, "y")).toEqual(new Map());
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
