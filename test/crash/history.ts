import * as v from "valibot";
import type { Queryable } from "../../src/store/database.ts";
import type { Entry } from "../support/rows.ts";
import { readEntries } from "../support/rows.ts";
import type { ChannelName, Received } from "./received.ts";

/** A tick as the suite ran it; times in epoch seconds. */
export interface RanTick {
  readonly number: number;
  readonly begin: number;
  readonly end: number;
  readonly killed: boolean;
  /** What it was killed at; empty if it was not. */
  readonly instant: string;
}

export interface EventRow {
  readonly id: string;
  readonly alarm: string;
  readonly key: string;
  /** Of the alarms with modules: `<key>@<number of the tick that saw it first>` */
  readonly subject: string;
  readonly fired: number;
  readonly cleared: number | null;
  /** By channel. */
  readonly notified: { readonly [channel: string]: number };
  readonly unsent: readonly string[];
}

export interface RunRow {
  readonly id: string;
  readonly status: string | null;
  readonly started: number;
  readonly finished: number | undefined;
  readonly crashed: number | undefined;
}

export interface NotificationRow {
  readonly id: string;
  /** The run that composed it. */
  readonly runId: string;
  readonly alarm: string;
  readonly channel: string;
  readonly state: string;
  readonly attempts: number;
  readonly text: string;
  readonly newIds: readonly string[];
  readonly continuingIds: readonly string[];
  readonly clearedIds: readonly string[];
  readonly messageIds: readonly string[];
  readonly supersededBy: string | undefined;
}

/** All that is on record, and what the outside saw. */
export interface History {
  readonly ticks: readonly RanTick[];
  readonly messages: readonly Received[];
  /** Requests that the chat throttled. */
  readonly throttled: number;
  readonly events: readonly EventRow[];
  readonly runs: readonly RunRow[];
  readonly notifications: readonly NotificationRow[];
}

const texts = v.optional(v.array(v.string()), []);
const EventData = v.object({
  entry_id: v.pipe(v.string(), v.startsWith("event_")),
  dedupe_key: v.string(),
  subject: v.string(),
  fire_time: v.number(),
  clear_time: v.nullable(v.number()),
  swf: v.object({
    notified: v.optional(v.record(v.string(), v.number()), {}),
    unsent: texts,
  }),
});
const RunData = v.object({
  started_at: v.number(),
  finished_at: v.optional(v.number()),
  crashed_at: v.optional(v.number()),
});
const NotificationData = v.object({
  run_id: v.string(),
  alarm: v.string(),
  channel: v.string(),
  state: v.string(),
  attempts: v.number(),
  new_event_ids: texts,
  continuing_event_ids: texts,
  cleared_event_ids: texts,
  message_ids: texts,
  superseded_by: v.optional(v.string()),
});

export async function readRows(
  db: Queryable,
): Promise<Pick<History, "events" | "runs" | "notifications">> {
  return {
    events: (await readEntries(db, "event")).map(eventRow),
    runs: (await readEntries(db, "engine_run")).map(runRow),
    notifications: (await readEntries(db, "notification")).map(notificationRow),
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
    ...event.swf,
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

function notificationRow({ id, content, data }: Entry): NotificationRow {
  const {
    run_id: runId,
    alarm,
    channel,
    state,
    attempts,
    ...row
  } = v.parse(NotificationData, data);
  return {
    ...{ id, runId, alarm, channel, state, attempts, text: content },
    newIds: row.new_event_ids,
    continuingIds: row.continuing_event_ids,
    clearedIds: row.cleared_event_ids,
    messageIds: row.message_ids,
    supersededBy: row.superseded_by,
  };
}

/** The run record of a tick; undefined if it died before it had one. Ticks follow each other. */
export function runOf(history: History, tick: RanTick): RunRow | undefined {
  return history.runs.find(({ started }) => tick.begin <= started && started <= tick.end);
}

export function rowOf(history: History, { id }: Received): NotificationRow | undefined {
  return history.notifications.find((row) => row.id === id);
}

/**
 * Whether a message may not have been stamped: the receiver lost its answer, or its tick was killed and it was the
 * last one on its channel.
 */
export function mayBeUnstamped({ ticks, messages }: History, message: Received): boolean {
  const { tick, channel, isLost } = message;
  const last = messages.findLast((each) => each.tick === tick && each.channel === channel);
  const isKilled = ticks.some(({ number, killed }) => number === tick && killed);
  return isLost || (isKilled && last === message);
}

/** Whether it was not: its notification was tried again, or replaced by another one. */
export function wasUnstamped(history: History, message: Received): boolean {
  if (!mayBeUnstamped(history, message)) return false;
  const after = history.messages.slice(history.messages.indexOf(message) + 1);
  return (
    message.isLost ||
    after.some(({ id }) => id === message.id) ||
    rowOf(history, message)?.state === "superseded"
  );
}

/** The messages of a channel. */
export function messagesOn({ messages }: History, channel: ChannelName): readonly Received[] {
  return messages.filter((message) => message.channel === channel);
}
