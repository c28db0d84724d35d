import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { unsentClears } from "../../src/store/unsent.ts";
import { notified } from "../support/configured.ts";
import { DATABASES } from "../support/databases.ts";
import { activeList } from "../support/open_events.ts";
import { entryRow, insertEntry, only, type RawEntry } from "../support/raw_entries.ts";

const MIGRATION = "0006_notifications.sql";
const SINCE = 1_790_000_000.5;
const UNTIL = SINCE + 3600;

/** What the version before this migration left behind about a source or an alarm. */
interface State {
  readonly key: string;
  readonly data: object;
  readonly row: Partial<RawEntry>;
}

function source(data: object, more: Partial<RawEntry> = {}): State {
  return { key: "source:main", data, row: { name: "state:source:main", ...more } };
}

function alarm(data: object): State {
  return { key: "alarm:x", data, row: { name: "state:quarantine:x" } };
}

describe.each(DATABASES)(
  "the migration of state rows to events of the engine on $kind",
  ({ open }) => {
    let db: Database;
    beforeAll(async () => {
      db = await open();
      await migrate(db);
    });
    beforeEach(() => db.script("DELETE FROM entry"));
    afterAll(() => db.close());

    /** Migrates this row as one of the version before. */
    const upgrade = async ({ data, row }: State, recipients?: unknown) => {
      await insertEntry(db, { kind: "engine_state", data, ...row });
      if (recipients !== undefined)
        await insertEntry(db, { kind: "alarm", data: { entry_id: "alarm_x", recipients } });
      await db.query("DELETE FROM swf_alarms_migration WHERE name = $1", [MIGRATION]);
      expect(await migrate(db)).toMatchObject({ applied: [MIGRATION], notes: [] });
      const engine = {
        active: await activeList(db, "engine"),
        cleared: await unsentClears(db, "engine"),
      };
      // Once only.
      expect(await migrate(db)).toMatchObject({ applied: [] });
      expect(await activeList(db, "engine")).toEqual(engine.active);
      expect(await unsentClears(db, "engine")).toEqual(engine.cleared);
      return engine;
    };

    const mailed: readonly State[] = [
      source({ kind: "unreachable", since: SINCE, cause: "503", notified: true }),
      source({ kind: "trouble", since: SINCE, cause: "503", told: true }),
      source({ kind: "unreachable", since: SINCE, cause: "503" }),
      alarm({
        failures: 3,
        cause: "it broke",
        quarantine: { since: SINCE, pause: 2, notified: true },
      }),
      alarm({ failures: 3, cause: "it broke", quarantine: { since: SINCE, pause: 2 } }),
    ];
    test.each(mailed)(
      "what people were mailed about is an active event, which is not mailed again: $key $data",
      async (state) => {
        const { active, cleared } = await upgrade(state);
        expect(cleared).toEqual([]);
        const notices = notified(SINCE, { newsAt: SINCE });
        expect(active).toMatchObject([{ dedupeKey: state.key, fireTime: SINCE, notices }]);
      },
    );

    const over: readonly State[] = [
      source({ kind: "recovered", since: SINCE, until: UNTIL }),
      alarm({
        failures: 0,
        cause: "",
        quarantine: null,
        recovery: { since: SINCE, until: UNTIL, notified: true },
      }),
      alarm({ failures: 0, cause: "", recovery: { since: SINCE, until: UNTIL, told: true } }),
    ];
    test.each(over)(
      "an end that was not mailed yet is a cleared event that email has to hear of: $key $data",
      async (state) => {
        const { active, cleared } = await upgrade(state);
        expect(active).toEqual([]);
        const notices = notified(SINCE, { news: "cleared", newsAt: UNTIL });
        const unsent = ["email"];
        expect(cleared).toMatchObject([
          { dedupeKey: state.key, fireTime: SINCE, clearTime: UNTIL, notices, unsent },
        ]);
      },
    );

    const nothing: readonly (readonly [string, State])[] = [
      [
        "an outage that was not mailed",
        source({ kind: "unreachable", since: SINCE, cause: "", notified: false }),
      ],
      [
        "the same in older words",
        source({ kind: "trouble", since: SINCE, cause: "", told: false }),
      ],
      [
        "a quarantine that was not mailed",
        alarm({ quarantine: { since: SINCE, notified: false } }),
      ],
      ["failures without a quarantine", alarm({ failures: 1, cause: "it broke" })],
      ["an emptied row", source({ kind: "unreachable", since: SINCE }, { status: "done" })],
      [
        "a row of another context",
        source({ kind: "unreachable", since: SINCE }, { context: "teams" }),
      ],
      ["a time that is not a number", source({ kind: "unreachable", since: "now" })],
      ["an end that is not a number", source({ kind: "recovered", since: SINCE, until: "now" })],
      ["another state", source({ since: SINCE }, { name: "state:clock:engine" })],
    ];
    test.each(nothing)("no event: %s", async (_, state) => {
      expect(await upgrade(state)).toEqual({ active: [], cleared: [] });
    });

    const ADDRESSES = ["ann@h.example", "@ops"];
    test.each([
      ["a list", ADDRESSES, ADDRESSES],
      ["a text", " ann@h.example,\n@ops; ", ADDRESSES],
      ["an empty text", "", []],
      ["a number", 5, []],
      ["none", undefined, []],
    ])(
      "the end of a quarantine also goes to those of its alarm: %s",
      async (_, recipients, own) => {
        const { active } = await upgrade(alarm({ quarantine: { since: SINCE } }), recipients);
        expect(active).toMatchObject([{ notices: { recipients: own } }]);
      },
    );

    test("one that is quarantined again before its recovery was mailed has both events", async () => {
      const state = { quarantine: { since: UNTIL + 60 }, recovery: { since: SINCE, until: UNTIL } };
      const { active, cleared } = await upgrade(alarm(state));
      expect(active).toMatchObject([{ dedupeKey: "alarm:x", fireTime: UNTIL + 60 }]);
      expect(cleared).toMatchObject([{ dedupeKey: "alarm:x", fireTime: SINCE, clearTime: UNTIL }]);
    });

    test("the rows are the contract's", async () => {
      const cause = "GET https://h.example: 503";
      const { active } = await upgrade(source({ kind: "unreachable", since: SINCE, cause }));
      const { id } = only(active);
      expect(await entryRow(db, id)).toMatchObject({
        title: "source main is unreachable",
        content: cause,
        kind: "event",
        status: "active",
        archived: false,
        context_id: "swf-alarms",
        data: {
          entry_id: "event_engine",
          dedupe_key: "source:main",
          subject: "source main is unreachable",
          recipients: [],
          fire_time: SINCE,
          clear_time: null,
          last_seen: SINCE,
          last_notified: SINCE,
          swf: { notified: { email: SINCE }, news: "fired", news_at: SINCE },
        },
      });
    });
  },
);
