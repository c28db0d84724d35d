import { afterAll, expect, test } from "vitest";
import type { Alarm } from "../../src/alarm/load_alarms.ts";
import { undelivered } from "../../src/core/delivery.ts";
import type { Severity } from "../../src/core/level.ts";
import type { Outcome } from "../../src/core/model.ts";
import { ChannelQueue } from "../../src/engine/channel_queue.ts";
import { notify } from "../../src/engine/notify.ts";
import { record } from "../../src/engine/record.ts";
import { parseAlarmRow } from "../../src/store/alarms.ts";
import type { Database } from "../../src/store/database.ts";
import { openInMemory } from "../../src/store/embedded/database.ts";
import { readStates, settlingOf } from "../../src/store/engine_state.ts";
import { migrate } from "../../src/store/migrate.ts";
import { readUnsent } from "../../src/store/unsent.ts";
import { delivered } from "../support/mails.ts";
import { makeOutcome } from "../support/outcomes.ts";
import { at, insertAlarm } from "../support/rows.ts";

/**
 * Two weeks of ticks, over the end of daylight-saving time in Europe and, after the host has moved, in America: every
 * five minutes on the days around the changes, else every quarter of an hour, so that it takes half a minute. What is expected is written down in UTC: an hour of a rule is an hour that passes, whatever the clocks on
 * the wall show.
 */

const zone = process.env.TZ;
afterAll(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

const MONTH_OF_19 = 10;

/** `25 00:30` is that time in UTC, in October 2026; `1 10:00` in November. */
function time(text: string): number {
  const [day = "", clock = ""] = text.split(" ");
  const month = Number(day) < 19 ? MONTH_OF_19 + 1 : MONTH_OF_19;
  return Date.parse(`2026-${month}-${day.padStart(2, "0")}T${clock}:00Z`) / 1000;
}

function show(seconds: number): string {
  const [, day, clock] = /-(\d\d)T(\d\d:\d\d)/.exec(new Date(seconds * 1000).toISOString()) ?? [];
  return `${Number(day)} ${clock}`;
}

const [BEGIN, END] = [time("19 00:00"), time("2 00:00")];
const MOVES = time("29 00:00");
const BUSY = [
  [time("24 00:00"), time("28 00:00")],
  [time("31 00:00"), END],
] as const;

function secondsToNext(due: number): number {
  return BUSY.some(([from, to]) => from <= due && due < to) ? 300 : 900;
}

interface Span {
  readonly key: string;
  readonly from: string;
  /** The first time at which it is not there any more; undefined: it stays. */
  readonly to?: string;
  readonly severity?: (at: number) => Severity;
}

/** `warning` and `error` in turn, six hours each, `error` first at this time. */
const alternating = (from: string) => (at: number) =>
  Math.floor((at - time(from)) / (6 * 3600)) % 2 === 0 ? "error" : "warning";

const ALARMS: readonly {
  readonly name: string;
  readonly row: { readonly [key: string]: unknown };
  readonly spans: readonly Span[];
  /** Ticks in which `detect` fails. */
  readonly failed?: readonly string[];
}[] = [
  {
    name: "load",
    row: {
      settle: "2/3",
      clear_after: "10m",
      notify_clear: true,
      renotification_window_hours: 3,
      renotification_growth: 2,
      renotification_max_hours: 24,
      renotification_count: 5,
      channels: ["email"],
    },
    failed: ["24 12:05", "27 20:05"],
    spans: [
      { key: "once", from: "20 03:00", to: "20 03:15" },
      { key: "flaps", from: "20 06:00", to: "20 06:15" },
      { key: "flaps", from: "20 06:30", to: "20 06:45" },
      { key: "queue", from: "24 12:00", to: "26 12:00" },
      // One outcome without it is not its end.
      { key: "queue", from: "26 12:05", to: "27 20:00" },
      { key: "queue", from: "31 12:00", to: "1 23:00" },
    ],
  },
  {
    name: "disk",
    row: { settle: "15m", renotification_window_hours: 24, channels: ["email"] },
    spans: [
      {
        key: "sda",
        from: "19 08:00",
        severity: (now) => (now < time("1 10:00") ? alternating("19 14:00")(now) : "critical"),
      },
      {
        key: "sdb",
        from: "30 00:00",
        severity: (now) => (now < time("1 05:00") ? "warning" : "error"),
      },
    ],
  },
  {
    name: "site",
    row: { renotification_window_hours: 24, channels: ["email", "chat"] },
    spans: [{ key: "down", from: "25 00:30", to: "28 00:00" }],
  },
];

/** What a person writes, just before the tick of that time. */
const DEEDS: readonly (readonly [string, string, object])[] = [
  ["24 16:00", "sda", { at: time("24 15:58"), until: time("26 16:02"), sticky: false }],
  ["31 18:00", "sda", { at: time("31 17:58"), until: null, sticky: false }],
  ["31 00:00", "sdb", { at: time("30 23:58"), until: null, sticky: true }],
  ["1 12:00", "sdb", { ended_at: time("1 11:58"), ended: "by operator" }],
];

/** The chat service is down over the change in Europe. */
const CHAT_IS_DOWN = [time("24 22:00"), time("25 04:00")] as const;

const EXPECTED: readonly string[] = [
  // Seen at 8:00, and a quarter of an hour later; as a warning, which becomes an error.
  "19 08:15 email sda: new",
  "19 14:00 email sda: severity rose",
  "20 06:30 email flaps: new",
  // Gone at 6:45, and in the next tick ten minutes later.
  "20 07:00 email flaps: cleared",
  "20 14:00 email sda: renotification due",
  "21 14:00 email sda: renotification due",
  "22 14:00 email sda: renotification due",
  "23 14:00 email sda: renotification due",
  // The outcome of 12:05 failed.
  "24 12:10 email queue: new",
  "24 14:00 email sda: renotification due",
  // After 3 hours, 6, 12, and 24 two times.
  "24 15:10 email queue: renotification due 1",
  "24 21:10 email queue: renotification due 2",
  "25 00:30 email down: new",
  // The notification of 0:30, when the service is back.
  "25 04:00 chat down: new",
  "25 09:10 email queue: renotification due 3",
  "26 00:30 chat down: renotification due",
  "26 00:30 email down: renotification due",
  "26 09:10 email queue: renotification due 4",
  "27 00:30 chat down: renotification due",
  "27 00:30 email down: renotification due",
  "27 09:10 email queue: renotification due 5 FINAL",
  // The acknowledgement ended at 16:02 of the day before.
  "27 16:05 email sda: renotification due",
  // Gone at 20:00; the outcome of 20:05 failed.
  "27 20:10 email queue: cleared",
  // A tick each quarter of an hour.
  "28 16:15 email sda: renotification due",
  "29 16:15 email sda: renotification due",
  "30 00:15 email sdb: new",
  "30 16:15 email sda: renotification due",
  "31 12:05 email queue: new",
  "31 15:05 email queue: renotification due 1",
  "31 16:15 email sda: renotification due",
  "31 21:05 email queue: renotification due 2",
  "1 09:05 email queue: renotification due 3",
  // A rise ends an acknowledgement that is not sticky.
  "1 10:00 email sda: severity rose",
  // The sticky one was taken back: what it held is sent.
  "1 12:00 email sdb: severity rose",
  "1 23:10 email queue: cleared",
];

test("each notice of two weeks comes at its time, to the minute", async () => {
  process.env.TZ = "Europe/Berlin";
  const offset = (text: string) => new Date(time(text) * 1000).getTimezoneOffset();
  expect([offset("25 00:30"), offset("25 01:30")], "the zone changes").toEqual([-120, -60]);
  const db = await openInMemory();
  try {
    await migrate(db);
    await db.query("SET TIME ZONE 'Europe/Berlin'");
    const alarms = await makeAlarms(db);
    const log: string[] = [];
    for (let tick = 0, due = BEGIN; due < END; tick++, due += secondsToNext(due)) {
      if (due === MOVES) {
        process.env.TZ = "America/New_York";
        await db.query("SET TIME ZONE 'America/New_York'");
        expect([offset("1 05:30"), offset("1 06:30")], "the zone changes").toEqual([240, 300]);
      }
      for (const [when, key, ack] of DEEDS) if (time(when) === due) await write(db, key, ack);
      // Ticks do not start at the second.
      await runTick(db, alarms, { due, now: due + ((tick * 7) % 50), log });
    }
    expect(log).toEqual(EXPECTED);
  } finally {
    await db.close();
  }
}, 600_000);

async function makeAlarms(db: Database): Promise<readonly Alarm[]> {
  for (const { name, row } of ALARMS) await insertAlarm(db, name, row);
  const found = await db.query("SELECT id, title, content, data FROM entry WHERE kind = 'alarm'");
  return found.map((each) => {
    const row = parseAlarmRow(each);
    if (typeof row === "string") throw new Error(row);
    expect(row.faults).toEqual([]);
    const readiness = { kind: "ready", params: {}, notes: [], typos: [] } as const;
    return { row, module: undefined, readiness };
  });
}

/** As `event ack` and `event unack` do it. */
async function write(db: Database, key: string, ack: object): Promise<void> {
  const change = "at" in ack ? { by: "ana", reason: "known", ...ack } : ack;
  await db.query(
    `UPDATE entry SET data = jsonb_set(data, '{swf,ack}', coalesce(data->'swf'->'ack', '{}') || $2::text::jsonb)
     WHERE kind = 'event' AND data->>'dedupe_key' = $1`,
    [key, JSON.stringify(change)],
  );
}

interface TickFacts {
  /** When cron starts it. */
  readonly due: number;
  readonly now: number;
  readonly log: string[];
}

async function runTick(db: Database, alarms: readonly Alarm[], facts: TickFacts): Promise<void> {
  const { now, due, log } = facts;
  const run = {
    mode: "tick",
    id: `run ${now}`,
    generation: "1",
    now,
    clock: () => now,
    clockCheck: { certainAt: now, doubt: undefined },
    starts: [],
    crashed: [],
  } as const;
  const [states, unsent] = [await readStates(db), await readUnsent(db)];
  const said: string[] = [];
  const queueOf = (name: string) => queue(db, name, { ...facts, log: said });
  const queues = new Map(["email", "chat"].map((name) => [name, queueOf(name)]));
  for (const alarm of alarms) {
    const recorded = await record(alarm, {
      db,
      run,
      detect: async () => outcomeOf(alarm.row.name, due),
      teams: new Map(),
      settling: settlingOf(states, alarm.row.name),
      clearGuardShare: 0.8,
    });
    expect(recorded.error).toBeUndefined();
    await notify(alarm.row, recorded, { db, run, queues, teams: new Map(), unsent });
  }
  log.push(...said.sort());
}

function queue(db: Database, name: string, { due, now, log }: TickFacts): ChannelQueue {
  const [from, to] = CHAT_IS_DOWN;
  const open = async () => ({
    deliver: async ({
      id,
      recipients,
      text,
    }: {
      id: string;
      recipients: readonly string[];
      text: string;
    }) => {
      const down = {
        message: "down",
        retryable: true,
        scope: "channel",
        mayBeDelivered: false,
      } as const;
      if (name === "chat" && due >= from && due < to) return undelivered(recipients, down);
      const [row] = await db.query("SELECT data->'bundle' AS bundle FROM entry WHERE id = $1", [
        id,
      ]);
      for (const list of ["fresh", "continuing", "cleared"])
        for (const item of [at(row?.bundle, list)].flat()) {
          const number = at(item, "reminder", "number") ?? "";
          const final = text.includes("FINAL") ? "FINAL" : "";
          const line = `${show(now)} ${name} ${at(item, "dedupeKey")}: ${at(item, "reason")} ${number} ${final}`;
          log.push(line.trim().replaceAll("  ", " "));
        }
      return delivered(recipients, []);
    },
  });
  return new ChannelQueue({
    type: "file",
    opener: { target: name === "chat" ? "#alarms" : undefined, open },
    open,
    signal: new AbortController().signal,
    clock: () => now,
    patientUntil: 0,
    closedUntil: 0,
  });
}

function outcomeOf(name: string, due: number): Outcome {
  const { spans, failed = [] } = ALARMS.find((alarm) => alarm.name === name) ?? { spans: [] };
  if (failed.some((text) => time(text) === due))
    return makeOutcome({ status: "failed", cause: "source", reasons: ["no response"] });
  const there = spans.filter(
    ({ from, to }) => time(from) <= due && (to === undefined || due < time(to)),
  );
  return makeOutcome({
    keys: new Set(there.map(({ key }) => key)),
    detections: new Map(
      there.map(({ key }) => [
        key,
        { dedupeKey: key, subject: `${key} is wrong`, body: "", data: {}, recipients: [] },
      ]),
    ),
    levels: new Map(
      there.flatMap(({ key, severity }) =>
        severity ? [[key, { severity: severity(due), stage: undefined }] as const] : [],
      ),
    ),
  });
}
