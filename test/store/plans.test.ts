import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { acknowledge, endAcknowledgement } from "../../src/store/acknowledgements.ts";
import { readMemory } from "../../src/store/alarm_memory.ts";
import { alarmRows } from "../../src/store/alarms.ts";
import { channelRecords } from "../../src/store/channel_records.ts";
import type { Database, Queryable, Transaction } from "../../src/store/database.ts";
import {
  closeCrashedRuns,
  lastRunOf,
  lastTimes,
  latestPerAlarm,
  listEngineRuns,
  setAside,
} from "../../src/store/engine_runs.ts";
import { readStates } from "../../src/store/engine_state.ts";
import { changeEvents } from "../../src/store/event_changes.ts";
import {
  eventCounts,
  eventsById,
  eventsOf,
  eventTexts,
  findEvents,
  listEvents,
} from "../../src/store/event_list.ts";
import {
  activeEvents,
  clearEvents,
  eventFaults,
  holdEvents,
  touchEvents,
} from "../../src/store/events.ts";
import { failedNotifications } from "../../src/store/failed_notifications.ts";
import { firingEvents } from "../../src/store/firing_events.ts";
import { migrate } from "../../src/store/migrate.ts";
import { findNotifications, listNotifications } from "../../src/store/notification_list.ts";
import {
  beginAttempt,
  closeNotification,
  openNotification,
  reopenNotification,
  supersedeAhead,
} from "../../src/store/notifications.ts";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { countTicks, listSkipped } from "../../src/store/skipped_ticks.ts";
import { forgetUnsent, stampNotified } from "../../src/store/stamps.ts";
import { listTeams, removeTeam } from "../../src/store/teams.ts";
import {
  maybeNotified,
  openNotifications,
  readUnsent,
  unsentClears,
} from "../../src/store/unsent.ts";
import { isJsonObject } from "../../src/text/json.ts";
import { notified } from "../support/configured.ts";
import type { Statement } from "../support/counting_database.ts";
import { createPostgres } from "../support/databases.ts";
import { MONITOR_TABLES, REMOTE_TABLES } from "../support/django_tables.ts";
import { loginTo } from "../support/login.ts";
import { DELIVERED, makeNew, makeOpen } from "../support/notifications.ts";
import { openDetected } from "../support/open_events.ts";

/** The newest row's time. */
const END = 1_800_000_000;

/** Years of a site in small: what has been grows, what is counts little. */
const HISTORY = `
  INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived, timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
  SELECT gen_random_uuid()::text, 't', '', kind, name, data, NULL, 'active', false, at, at, NULL, NULL, context
  FROM (
    SELECT 'event' AS kind, NULL AS name, 'swf-alarms' AS context, ${END} - (200000 - n) * 300 AS at,
           jsonb_build_object('entry_id', 'event_a' || n % 20, 'dedupe_key', 'k' || n, 'fire_time', n, 'clear_time', n + 1) AS data
    FROM generate_series(1, 200000) AS n
    UNION ALL
    SELECT 'event', NULL, 'swf-alarms', ${END} - n,
           jsonb_build_object('entry_id', 'event_a' || n % 20, 'dedupe_key', 'k' || n, 'fire_time', n, 'clear_time', NULL)
    FROM generate_series(1, 400) AS n
    UNION ALL
    SELECT 'engine_run', NULL, 'swf-alarms', ${END} - n * 300,
           jsonb_build_object('entry_id', 'run_' || n, 'started_at', n, 'finished_at', n + 1, 'per_alarm', '{"alarm_a1": {}}'::jsonb)
    FROM generate_series(0, 4000) AS n
    UNION ALL
    SELECT 'notification', NULL, 'swf-alarms', ${END} - n * 300,
           jsonb_build_object('alarm', 'alarm_a' || n % 20, 'outcome', 'delivered', 'new_event_ids', '["x"]'::jsonb)
    FROM generate_series(0, 3000) AS n
    UNION ALL
    SELECT 'skipped_tick', NULL, 'swf-alarms', ${END} - n * 3000, '{"entry_id": "skipped"}' FROM generate_series(0, 1000) AS n
    UNION ALL
    SELECT 'alarm', NULL, 'swf-alarms', n, jsonb_build_object('entry_id', 'alarm_a' || n) FROM generate_series(0, 19) AS n
    UNION ALL
    SELECT 'engine_state', 'state:source:s' || n, 'swf-alarms', n, '{}' FROM generate_series(0, 19) AS n
    UNION ALL
    SELECT 'team', '@t' || n, 'teams', n, '{}' FROM generate_series(0, 19) AS n
  ) AS history;
  ANALYZE entry`;

const EVENTS = `
  INSERT INTO entry (id, title, content, kind, data, status, archived, timestamp_created, timestamp_modified, context_id)
  SELECT gen_random_uuid()::text, 't', '', 'event', jsonb_build_object('entry_id', 'event_a', 'dedupe_key', 'k' || n, 'clear_time', NULL),
         'active', false, n, n, 'swf-alarms'
  FROM generate_series(1, 5000) AS n`;

/** So many that reading all active events looks cheaper to Postgres than finding each by its id. */
const IDS = Array.from({ length: 900 }, (_, n) => `00000000-0000-4000-8000-000000000${n + 100}`);
const ITEM = { dedupeKey: "k", fireTime: 0, reason: "unsent" } as const;
const NAMED = IDS.map((eventId) => ({ ...ITEM, eventId, notices: notified(1) }));
const CLEARS = IDS.map((id) => ({ id, reason: `late by ${id} s` }));
const ERROR = { severity: "error", stage: undefined } as const;
const ROSE = { level: ERROR, peak: ERROR, news: "severity", reason: "severity rose: x" } as const;
const CHANGES = IDS.map((id) => ({ id, level: ROSE, notices: notified(1, { newsAt: END }) }));
const FIRING = new Map(
  IDS.map((id) => [id, { id, dedupeKey: id, fireTime: 0, notices: notified(1) }]),
);
const STAMP = {
  channel: "email",
  composedAt: END,
  to: [],
  firing: IDS,
  cleared: IDS,
};
const OPEN = makeOpen();
const NEW = makeNew({ supersedes: [OPEN.id] });
const A1 = { alarm: "alarm_a1", channel: "email" };
const ACK = { by: "cli:x", reason: "r", at: END, until: undefined, sticky: false };
const LISTED = { alarm: undefined, all: false, limit: 50 };

/** Django's indexes, by what they lead to; their names differ between the dashboards. */
const BY_ID = /^entry_(pkey|id_4b92a3f6_like)$/;
const BY_KIND = /^entry_(kind|context)_\w+_idx$/;
const BY_NAME = /^(uniq_context_name|entry_context_id_\w+|entry_(kind|context)_\w+_idx)$/;
const MAILS = /^swf_alarms_mails$/;
const ACTIVE = /^swf_alarms_one_active_event$/;

const FIND_EVENTS = /^(entry_(pkey|id_4b92a3f6_like)|swf_alarms_events_of_alarm)$/;
const NOTIFICATIONS = { alarm: undefined, events: undefined, states: undefined, limit: 20 };

/** A question of the store, and the indexes that may answer it. */
type Question = readonly [string, RegExp, (db: Transaction) => Promise<unknown>];

const TICK: readonly Question[] = [
  ["alarmRows", BY_KIND, (db) => alarmRows(db)],
  ["latestPerAlarm", BY_KIND, (db) => latestPerAlarm(db, END)],
  [
    "closeCrashedRuns",
    new RegExp(`${BY_KIND.source}|${BY_ID.source}`),
    (tx) => closeCrashedRuns(tx, END, "x"),
  ],
  ["lastTimes", BY_NAME, (db) => lastTimes(db)],
  ["setAside", BY_KIND, (db) => setAside(db, END, END)],
  ["readStates", BY_NAME, (db) => readStates(db)],
  ["listTeams", BY_NAME, (db) => listTeams(db)],
  [
    "readUnsent",
    /^swf_alarms_(unsent_clears|open_notifications|one_active_event)$/,
    (db) => readUnsent(db),
  ],
  [
    "readUnsent, with alarms that stopped",
    /^swf_alarms_(unsent_clears|open_notifications|one_active_event)$/,
    (db) => readUnsent(db, ["a1", "a2", "gone"]),
  ],
  ["unsentClears", /^swf_alarms_unsent_clears$/, (db) => unsentClears(db, "a1")],
  [
    "openNotifications",
    /^swf_alarms_open_notifications$/,
    (db) => openNotifications(db, "alarm_a1"),
  ],
  ["activeEvents", ACTIVE, (db) => activeEvents(db, "a1")],
  ["readMemory", BY_NAME, (db) => readMemory(db, { id: "x" })],
  ["firingEvents", BY_ID, (db) => firingEvents(db, FIRING)],
  ["eventFaults", ACTIVE, (db) => eventFaults(db, END)],
  ["touchEvents", BY_ID, (tx) => touchEvents(tx, IDS, END)],
  ["changeEvents", BY_ID, (tx) => changeEvents(tx, CHANGES, END)],
  ["holdEvents", BY_ID, (tx) => holdEvents(tx, IDS, END)],
  ["clearEvents", BY_ID, (tx) => clearEvents(tx, CLEARS, ["email"], END)],
  ["stampNotified", BY_ID, (tx) => stampNotified(tx, STAMP, END)],
  ["forgetUnsent", BY_ID, (tx) => forgetUnsent(tx, IDS, "chat", END)],
  ["openNotification, which replaces one", BY_ID, (tx) => openNotification(tx, NEW, END)],
  ["supersedeAhead", /^swf_alarms_open_notifications$/, (tx) => supersedeAhead(tx, END)],
  ["beginAttempt", BY_ID, (tx) => beginAttempt(tx, OPEN, END)],
  ["closeNotification", BY_ID, (tx) => closeNotification(tx, OPEN.id, DELIVERED, END)],
  ["eventTexts", BY_ID, (db) => eventTexts(db, IDS, "")],
  ["maybeNotified, long ago", MAILS, (db) => maybeNotified(db, A1, NAMED, END)],
  [
    "maybeNotified, no mail ever",
    MAILS,
    (db) => maybeNotified(db, { ...A1, alarm: "b" }, NAMED, END),
  ],
];

const COMMANDS: readonly Question[] = [
  ["listEvents", ACTIVE, (db) => listEvents(db, LISTED)],
  ["listEvents, one alarm", ACTIVE, (db) => listEvents(db, { ...LISTED, alarm: "a1" })],
  ["listEvents, all", BY_KIND, (db) => listEvents(db, { ...LISTED, all: true })],
  [
    "listEvents, all of one alarm",
    /^swf_alarms_events_of_alarm$/,
    (db) => listEvents(db, { ...LISTED, alarm: "a1", all: true }),
  ],
  ["eventCounts", ACTIVE, (db) => eventCounts(db)],
  ["listEngineRuns", BY_KIND, (db) => listEngineRuns(db, 300, false)],
  ["listSkipped", BY_KIND, (db) => listSkipped(db, 50)],
  ["countTicks", BY_KIND, (db) => countTicks(db, END - 86_400)],
  ["failedNotifications", BY_KIND, (db) => failedNotifications(db, END)],
  ["listNotifications", BY_KIND, (db) => listNotifications(db, NOTIFICATIONS)],
  [
    "listNotifications, one alarm",
    MAILS,
    (db) => listNotifications(db, { ...NOTIFICATIONS, alarm: "a1" }),
  ],
  [
    "listNotifications, one event",
    MAILS,
    (db) => listNotifications(db, { ...NOTIFICATIONS, events: [{ id: "x", alarm: "a1" }] }),
  ],
  ["findNotifications", BY_ID, (db) => findNotifications(db, "0a0a0a0a")],
  ["findEvents by id, then by key", FIND_EVENTS, (db) => findEvents(db, "0a0a0a0a", ["a1"])],
  ["eventsById", BY_ID, (db) => eventsById(db, IDS)],
  [
    "channelRecords",
    new RegExp(`${BY_KIND.source}|${MAILS.source}`),
    (db) => channelRecords(db, ["email"]),
  ],
  ["reopenNotification", BY_ID, (tx) => reopenNotification(tx, OPEN.id, END)],
  ["eventsOf", /^swf_alarms_events_of_alarm$/, (db) => eventsOf(db, "a1", "k1", 11)],
  ["lastRunOf", BY_KIND, (db) => lastRunOf(db, "alarm_a1", END)],
  ["acknowledge", BY_ID, (tx) => acknowledge(tx, "x", ACK, END)],
  ["endAcknowledgement", BY_ID, (tx) => endAcknowledgement(tx, "x", ACK, "cli:x", END)],
  ["removeTeam", BY_NAME, (tx) => removeTeam(tx, "@t1", END)],
];

/** As Django's ORM puts the contract's rules: an alarm's events, those of a task, the newest runs, those of a window. */
const DJANGO_EVENTS = `context_id = 'swf-alarms' AND kind = 'event' AND NOT archived AND deleted_at IS NULL AND (data -> 'entry_id') = '"event_a1"'::jsonb`;
const DJANGO_RUNS = `context_id = 'swf-alarms' AND kind = 'engine_run' AND deleted_at IS NULL`;
const DASHBOARD: readonly Question[] = (
  [
    ["an alarm's events", /^swf_alarms_events_of_alarm$/, DJANGO_EVENTS],
    [
      "an alarm's events in a window",
      new RegExp(`${BY_KIND.source}|^swf_alarms_events_of_alarm$`),
      `${DJANGO_EVENTS} AND timestamp_created >= ${END - 86_400} ORDER BY timestamp_created DESC LIMIT 500`,
    ],
    [
      "a task's events",
      /^swf_alarms_events_of_alarm$/,
      `${DJANGO_EVENTS} AND (data -> 'dedupe_key') = '"k1"'::jsonb`,
    ],
    [
      "the newest runs",
      BY_KIND,
      `${DJANGO_RUNS} AND NOT archived ORDER BY timestamp_created DESC LIMIT 20`,
    ],
    [
      "the runs of a window",
      BY_KIND,
      `${DJANGO_RUNS} AND timestamp_created >= ${END - 172_800} ORDER BY timestamp_created`,
    ],
  ] as const
).map(([name, index, where]) => [
  `dashboard: ${name}`,
  index,
  (db) => db.query(`SELECT * FROM entry WHERE ${where}`),
]);

const QUESTIONS = [...TICK, ...COMMANDS, ...DASHBOARD];

describe.each([
  ["swf-monitor", MONITOR_TABLES],
  ["swf-remote", REMOTE_TABLES],
])("with years of history in a database of %s", (_, tables) => {
  let db: Database;
  beforeAll(async () => {
    db = await openPostgres(loginTo(await createPostgres()));
    await db.script(tables);
    await migrate(db);
    await db.script(HISTORY);
  });
  afterAll(() => db.close());

  test.each(QUESTIONS)("%s reads what it needs by its index", async (_name, expected, ask) => {
    const scans = (await statementsOf(ask)).map((statement) => scansOf(db, statement));
    const found = (await Promise.all(scans)).flat();
    expect(found).not.toEqual([]);
    for (const index of found) expect(index).toMatch(expected);
  });

  test("every index that a migration makes answers some question, and openEvents meets the unique one", async () => {
    const sent = (await Promise.all(QUESTIONS.map(([, , ask]) => statementsOf(ask)))).flat();
    const used = new Set((await Promise.all(sent.map((each) => scansOf(db, each)))).flat());
    expect(ownIndexes().filter((name) => !used.has(name))).toEqual([]);

    const detection = { dedupeKey: "k", subject: "s", body: "b", data: {}, recipients: [] };
    const alarm = { id: "x", name: "a1", description: "" };
    const [opening] = await statementsOf((to) =>
      openDetected({ transaction: (work) => work(to) }, [{ id: "x", detection }], {
        alarm,
        recipientsOf: () => [],
        fireTime: END,
      }),
    );
    expect(JSON.stringify(await explain(db, opening))).toContain("swf_alarms_one_active_event");
  });
});

test("events named by their ids are found by these in a table that Postgres has yet to look at, too", async () => {
  const db = await openPostgres(loginTo(await createPostgres()));
  try {
    await migrate(db);
    await db.script(`ALTER TABLE entry SET (autovacuum_enabled = false); ${EVENTS}`);
    const [touch] = await statementsOf((to) => touchEvents(to, IDS.slice(0, 10), END));
    expect(await scansOf(db, touch)).toContainEqual(expect.stringMatching(BY_ID));
  } finally {
    await db.close();
  }
});

test.each<Question>([
  ["changeEvents", BY_ID, (tx) => changeEvents(tx, CHANGES, END)],
  ["clearEvents", BY_ID, (tx) => clearEvents(tx, CLEARS, [], END)],
])("what %s looks up for each event is read once, not for each event anew", async (...question) => {
  const db = await openPostgres(loginTo(await createPostgres()));
  try {
    await migrate(db);
    const [statement] = await statementsOf(question[2]);
    const plan = JSON.stringify(await explain(db, statement, "VERBOSE, "));
    // The constant that Postgres made of the parameter, and what it looks up in it.
    expect(plan).toMatch(/\}'::jsonb ->/);
    expect(plan).not.toContain("::text)::jsonb");
    expect(plan).not.toContain("$3");
  } finally {
    await db.close();
  }
});

/** What a function of the store sends, where the database finds nothing. */
async function statementsOf(ask: Question[2]): Promise<readonly Statement[]> {
  const sent: Statement[] = [];
  await ask({
    query: async (sql, params = []) => {
      sent.push({ sql, params });
      return [];
    },
    isTransaction: true,
  });
  return sent;
}

async function explain(
  db: Queryable,
  statement: Statement | undefined,
  options = "",
): Promise<unknown> {
  if (statement === undefined) throw new Error("no statement was sent");
  const [row] = await db.query(
    `EXPLAIN (${options}FORMAT JSON) ${statement.sql}`,
    statement.params,
  );
  return row?.["QUERY PLAN"];
}

/** How the plan comes to rows of `entry`: names of indexes, or the kind of scan where there is none. */
async function scansOf(
  db: Queryable,
  statement: Statement | undefined,
): Promise<readonly string[]> {
  const found: string[] = [];
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(walk);
    if (!isJsonObject(node)) return;
    const { "Node Type": type, "Index Name": index, "Relation Name": relation } = node;
    if (typeof index === "string") found.push(index);
    else if (type === "Seq Scan" && relation === "entry") found.push("Seq Scan");
    walk(node.Plan);
    walk(node.Plans);
  };
  walk(await explain(db, statement));
  return found;
}

/** The indexes that the migrations leave behind. */
function ownIndexes(): readonly string[] {
  const names = new Set<string>();
  const folder = new URL("../../migrations/", import.meta.url);
  for (const file of readdirSync(folder).sort()) {
    for (const [, verb, name = ""] of readFileSync(new URL(file, folder), "utf8").matchAll(
      /^(CREATE (?:UNIQUE )?INDEX IF NOT EXISTS|DROP INDEX IF EXISTS) (swf_alarms_\w+)/gm,
    )) {
      if (verb?.startsWith("CREATE")) names.add(name);
      else names.delete(name);
    }
  }
  return [...names];
}
