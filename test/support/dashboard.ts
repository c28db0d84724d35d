import { isJsonObject } from "../../src/text/json.ts";
import type { Entry } from "./rows.ts";

/**
 * How the Django dashboards read the rows: contract/entry-rows.md 3.4, rule by rule. Written from the
 * contract alone, so that it can judge what the engine writes.
 */

const EVENT_HEADER = new Set([
  "entry_id",
  "fire_time",
  "clear_time",
  "last_seen",
  "last_notified",
  "dedupe_key",
  "subject",
  "recipients",
  "alarm_config_id",
  "severity",
]);
const MARKER = "\n\n---\n\n";

function isLive(row: Entry): boolean {
  return !row.archived && row.deleted_at === null;
}

function eventsOf(rows: readonly Entry[], alarm: string): readonly Entry[] {
  const entryId = alarm.replace(/^alarm_/, "event_");
  return rows.filter((row) => isLive(row) && row.data.entry_id === entryId);
}

/** The active list: `clear_time is None` in Python, so null and missing both count. */
export function activeList(events: readonly Entry[], alarm: string): readonly Entry[] {
  return eventsOf(events, alarm).filter(({ data }) => (data.clear_time ?? null) === null);
}

/** The metric cell of the active list. */
export function metricCell({ data }: Entry): string {
  if (typeof data.metric === "string" && data.metric !== "") return data.metric;
  const rate = data.computed_failurerate;
  return typeof rate === "number" ? `${(rate * 100).toFixed(1)}%` : "";
}

/** "First fired" is relative time; a text breaks it. */
export function firstFired({ data }: Entry): number {
  if (typeof data.fire_time !== "number") throw new Error("fire_time is no float");
  return data.fire_time;
}

/** "Last alarm": the newest time on any event of the alarm, ever. */
export function lastAlarm(events: readonly Entry[], alarm: string): number {
  const times = eventsOf(events, alarm).flatMap(({ data, timestamp_created: created }) =>
    [data.last_seen, data.clear_time, data.fire_time, created].filter(
      (time) => typeof time === "number",
    ),
  );
  return Math.max(...times);
}

export interface EventPage {
  readonly title: string;
  readonly subject: unknown;
  /** `", ".join(recipients)`: over a text it would join its letters. */
  readonly recipients: string;
  readonly description: string;
  readonly detail: string;
  readonly extras: readonly string[];
}

/** The event page and the history's cards. */
export function eventPage(event: Entry): EventPage {
  const { recipients } = event.data;
  if (!Array.isArray(recipients)) throw new Error("recipients is no array");
  const [first = "", ...rest] = event.content.split(MARKER);
  return {
    title: event.title,
    subject: event.data.subject,
    recipients: recipients.join(", "),
    description: rest.length === 0 ? "" : first,
    detail: rest.length === 0 ? first : rest.join(MARKER),
    extras: Object.keys(event.data).filter((key) => !EVENT_HEADER.has(key)),
  };
}

export type Bin = "unknown" | "firing" | "clear";

/** The task history's strip: one bin for each run, oldest first. */
export function taskHistory(
  runs: readonly Entry[],
  events: readonly Entry[],
  alarm: string,
  key: string,
  now: number,
): readonly Bin[] {
  const ofTask = eventsOf(events, alarm).filter(({ data }) => data.dedupe_key === key);
  return runs.map((run): Bin => {
    const tick = numberOr(run.data.started_at, run.timestamp_created);
    const finished = run.data.finished_at ?? null;
    if (isTruthy(entryOf(run, alarm)?.errors) || finished === null) return "unknown";
    const fires = ofTask.some(({ data }) => {
      const fired = numberOr(data.fire_time, Number.POSITIVE_INFINITY);
      return fired <= tick && tick <= numberOr(data.clear_time, now);
    });
    return fires ? "firing" : "clear";
  });
}

export interface RunReport {
  readonly enabled: boolean;
  readonly newSubjects: readonly string[];
  readonly continuingSubjects: readonly string[];
  readonly sent: boolean;
  readonly subject: string;
  readonly recipients: string;
  readonly error: string;
}

/** The run report; undefined is its 404. */
export function runReport(
  run: Entry,
  alarm: string,
  events: readonly Entry[],
): RunReport | undefined {
  const entry = entryOf(run, alarm);
  if (entry === undefined) return undefined;
  // As Python's `info.get(key) or []`: a run that changed nothing has none of them.
  const recipients = entry.recipients ?? [];
  if (!Array.isArray(recipients)) throw new Error("recipients is no array");
  const titles = (ids: unknown): string[] => {
    if (!Array.isArray(ids)) throw new Error("the event ids are no array");
    return ids.map((id) => events.find((event) => event.id === id)?.title ?? "missing");
  };
  return {
    enabled: Boolean(entry.enabled),
    newSubjects: titles(entry.bundle_new_event_ids ?? []),
    continuingSubjects: titles(entry.bundle_renotify_event_ids ?? []),
    sent: Boolean(entry.bundle_sent),
    subject: String(entry.bundle_subject ?? ""),
    recipients: recipients.join(", "),
    error: isTruthy(entry.errors) ? String(entry.error_message) : "",
  };
}

/** The alarms that wear the quiet badge. */
export function quietAlarms(runs: readonly Entry[], alarms: readonly string[]): readonly string[] {
  const newest = runs.filter(isLive).slice(-12).reverse();
  if (newest.length < 3) return [];
  return alarms.filter((alarm) => {
    const seen = newest.map((run) => {
      const entry = entryOf(run, alarm);
      return entry === undefined || isTruthy(entry.errors) ? undefined : Number(entry.alarms_seen);
    });
    const recent = seen.slice(0, 3);
    return (
      recent.every((count) => count === 0) &&
      seen.reduce<number>((sum, count) => sum + (count ?? 0), 0) > 0
    );
  });
}

/** The health banner, from the newest run. */
export function health(runs: readonly Entry[], now: number): "ok" | "warn" | "bad" | "unknown" {
  const newest = runs.at(-1);
  if (newest === undefined) return "unknown";
  const { finished_at: finished, errors } = newest.data;
  if (typeof finished !== "number") return "warn";
  if (now - finished > 15 * 60 || isTruthy(errors)) return "bad";
  return "ok";
}

function entryOf(run: Entry, alarm: string) {
  const all = run.data.per_alarm;
  const entry = isJsonObject(all) ? all[alarm] : undefined;
  return isJsonObject(entry) ? entry : undefined;
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

/** As Python takes it. */
function isTruthy(value: unknown): boolean {
  return value !== undefined && value !== null && value !== 0 && value !== "" && value !== false;
}
