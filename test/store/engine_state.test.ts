import { describe, expect, test } from "vitest";
import {
  alarmStateOf,
  readStates,
  saveAlarmState,
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
  quarantine: { since: 1, pause: 2, wait: 3, triedAt: 4.5, lookedAt: 5, notified: false },
  recovery: undefined,
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
      await db.transaction((tx) =>
        saveSourceState(
          tx,
          "main",
          { kind: "unreachable", since: 1, cause: "c", notified: true },
          1,
        ),
      );
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
      expect(sourceStateOf(states, "main")).toMatchObject({ kind: "unreachable", notified: true });
      expect(sourceStates(states).map(({ source }) => source)).toEqual(["main"]);
    } finally {
      await db.close();
    }
  });

  test("rows of an earlier version are read: their words for notified and unreachable differ", async () => {
    const db = await open();
    try {
      await migrate(db);
      const quarantine = { since: 1, pause: 2, wait: 3, tried_at: 4, looked_at: 5, told: false };
      const recovery = { since: 1, until: 2, told: true };
      const alarm = { failures: 3, cause: "c", fingerprint: "f", quarantine, recovery };
      await db.transaction((tx) => saveState(tx, "quarantine", "x", alarm, 100));
      const source = { kind: "trouble", since: 1, cause: "c", told: false };
      await db.transaction((tx) => saveState(tx, "source", "main", source, 100));
      const states = await readStates(db);
      expect(alarmStateOf(states, "x")).toMatchObject({
        quarantine: { notified: false },
        recovery: { since: 1, until: 2, notified: true },
      });
      expect(sourceStateOf(states, "main")).toEqual({
        kind: "unreachable",
        since: 1,
        cause: "c",
        notified: false,
      });
    } finally {
      await db.close();
    }
  });
});
