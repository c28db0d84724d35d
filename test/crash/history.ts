import * as v from "valibot";
import type { Queryable } from "../../src/store/database.ts";
import type { Entry } from "../support/rows.ts";
import { readEntries } from "../support/rows.ts";
import type { AcceptedMail } from "./mail_gate.ts";

/** A tick as the suite ran it; times in epoch seconds. */
export interface RanTick {
  readonly number: number;
  readonly begin: number;
  readonly end: number;
  readonly killed: boolean;
  /** What it was killed at; empty where it was not. */
  readonly instant: string;
}

export interface EventRow {
  readonly id: string;
  readonly alarm: string;
  readonly key: string;
  /** `<key>@<number of the tick that saw it first>` */
  readonly subject: string;
  readonly fired: number;
  readonly cleared: number | null;
  readonly lastNotified: number | undefined;
  readonly mailOwed: boolean;
}

export interface RunRow {
  readonly id: string;
  readonly status: string | null;
  readonly started: number;
  readonly finished: number | undefined;
  readonly crashed: number | undefined;
}

export interface AttemptRow {
  readonly runId: string;
  readonly alarm: string;
  readonly text: string;
  readonly outcome: string;
  readonly messageIds: readonly string[];
}

/** All that is on record, and what the outside saw. */
export interface History {
  readonly ticks: readonly RanTick[];
  readonly mails: readonly AcceptedMail[];
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly attempts: readonly AttemptRow[];
}

const EventData = v.object({
  entry_id: v.pipe(v.string(), v.startsWith("event_")),
  dedupe_key: v.string(),
  subject: v.string(),
  fire_time: v.number(),
  clear_time: v.nullable(v.number()),
  last_notified: v.optional(v.number()),
  mail_owed: v.optional(v.boolean(), false),
});
const RunData = v.object({
  started_at: v.number(),
  finished_at: v.optional(v.number()),
  crashed_at: v.optional(v.number()),
});
const AttemptData = v.object({
  run_id: v.string(),
  alarm: v.string(),
  outcome: v.string(),
  message_ids: v.optional(v.array(v.string()), []),
});

export async function readRows(
  db: Queryable,
): Promise<Pick<History, "events" | "runs" | "attempts">> {
  return {
    events: (await readEntries(db, "event")).map(eventRow),
    runs: (await readEntries(db, "engine_run")).map(runRow),
    attempts: (await readEntries(db, "notification")).map(attemptRow),
  };
}

function eventRow({ id, data }: Entry): EventRow {
  const event = v.parse(EventData, data);
  return {
    id,
    alarm: event.entry_id.replace("event_", "alarm_"),
    key: event.dedupe_key,
    subject: event.subject,
    fired: event.fire_time,
    cleared: event.clear_time,
    lastNotified: event.last_notified,
    mailOwed: event.mail_owed,
  };
}

function runRow({ id, status, data }: Entry): RunRow {
  const run = v.parse(RunData, data);
  return {
    id,
    status,
    started: run.started_at,
    finished: run.finished_at,
    crashed: run.crashed_at,
  };
}

function attemptRow({ content, data }: Entry): AttemptRow {
  const attempt = v.parse(AttemptData, data);
  return {
    runId: attempt.run_id,
    alarm: attempt.alarm,
    text: content,
    outcome: attempt.outcome,
    messageIds: attempt.message_ids,
  };
}

/** The run record of a tick; undefined where it died before it had one. Ticks follow each other. */
export function runOf(history: History, tick: RanTick): RunRow | undefined {
  return history.runs.find(({ started }) => tick.begin <= started && started <= tick.end);
}

/** The attempt that a mail was sent in. */
export function attemptOf(history: History, mail: AcceptedMail): AttemptRow | undefined {
  const tick = history.ticks.find(({ number }) => number === mail.tick);
  const run = tick && runOf(history, tick);
  return history.attempts.find(({ runId, alarm }) => runId === run?.id && alarm === mail.alarm);
}

/** How far a tick had come when it died, in order. */
export const PHASES = [
  "before its run was on record",
  "after its run was on record",
  "between its events and a mail",
  "between an attempt on record and its mail",
  "between a mail and its stamp",
  "after a stamped mail",
  "after its run was closed",
] as const;

/** How far a killed tick had come, by what is on record of it. */
export function phaseOf(history: History, tick: RanTick): (typeof PHASES)[number] {
  const run = runOf(history, tick);
  if (run === undefined) return "before its run was on record";
  if (run.finished !== undefined) return "after its run was closed";
  const attempts = history.attempts.filter(({ runId }) => runId === run.id);
  const unknown = attempts.filter(({ outcome }) => outcome === "unknown");
  const mails = history.mails.filter((mail) => mail.tick === tick.number);
  if (mails.some((mail) => attemptOf(history, mail)?.outcome === "unknown"))
    return "between a mail and its stamp";
  if (unknown.length > 0) return "between an attempt on record and its mail";
  if (attempts.length > 0) return "after a stamped mail";
  const wrote = history.events.some((event) => [event.fired, event.cleared].includes(run.started));
  return wrote ? "between its events and a mail" : "after its run was on record";
}
