import type { JsonObject } from "swf-alarms";
import { numberOf, objectOf, quote, show, textOf } from "./fields.ts";

/** A row of `/clients`. */
export interface DaqClient {
  readonly id: string;
  /**
   * The naive local time of its latest heartbeat, one a second: tell it from another one, but do not calculate with it. Null
   * if it cannot be read.
   */
  readonly lastSeen: string | null;
}

/** What a client says of itself: `/clients/{id}/status`. */
export interface DaqStatus {
  readonly jobs: readonly DaqJob[];
  /** Job types that wait for their restart, with the time of it. */
  readonly restarts: ReadonlyMap<string, string>;
  /** Supervisor id → job type → its counts. Two jobs of one type have one row, of either of them. */
  readonly counts: ReadonlyMap<string, ReadonlyMap<string, DaqCounts>>;
}

export interface DaqJob {
  readonly type: string;
  /** Whose job it is: the client itself, or `remote_custom` for one that an operator started by hand. */
  readonly supervisor: string;
  /** Another one after a restart, unless the configuration sets it. */
  readonly uniqueId: string;
  /** Counts the jobs that a supervisor has started, from 0. */
  readonly instance: number;
}

/** A number is null where it is missing. */
export interface DaqCounts {
  readonly message_in_stats: number | null;
  readonly message_out_stats: number | null;
  readonly message_in_queue_stats: number | null;
  readonly message_out_queue_stats: number | null;
  readonly restart_stats: number | null;
  /** MiB of memory. */
  readonly rss: number | null;
}

/** Throws for what is not the list of clients. */
export function parseClients(value: unknown): readonly DaqClient[] {
  const rows = objectOf(value);
  if (rows === null) throw new Error(`/clients is ${quote(value)}, not an object of clients`);
  return Object.entries(rows).map(([id, row]) => {
    const lastSeen = textOf(objectOf(row)?.last_seen);
    return { id, lastSeen };
  });
}

export type ParsedStatus =
  | { readonly ok: true; readonly status: DaqStatus }
  | { readonly ok: false; readonly error: string };

/** Of a client. A status with a job that cannot be read is none: that job would seem to be gone. */
export function parseStatus(id: string, value: unknown): ParsedStatus {
  const status = objectOf(value);
  const { daq_jobs: jobs, restart_schedules: schedules } = status ?? {};
  const wrong = (field: string, found: unknown) =>
    ({ ok: false, error: `its status has the ${field} ${quote(found)}` }) as const;
  if (!Array.isArray(jobs)) return wrong("daq_jobs", jobs);
  if (!Array.isArray(schedules)) return wrong("restart_schedules", schedules);
  const restarts = new Map<string, string>();
  for (const schedule of schedules) {
    const row = objectOf(schedule);
    const [type, at] = [textOf(row?.job), textOf(row?.restart_at)];
    if (type === null || at === null) return wrong("restart of", schedule);
    restarts.set(type, at);
  }
  const parsed: DaqJob[] = [];
  for (const each of jobs) {
    const job = parseJob(id, objectOf(each));
    if (job === null) return wrong("job", each);
    parsed.push(job);
  }
  return { ok: true, status: { jobs: parsed, restarts, counts: parseCounts(status) } };
}

function parseJob(id: string, row: JsonObject | null): DaqJob | null {
  const [type, uniqueId] = [textOf(row?.daq_job_type), textOf(row?.unique_id)];
  const instance = numberOf(row?.instance_id);
  if (type === null || uniqueId === null || instance === null) return null;
  const supervisor = textOf(objectOf(row?.supervisor_info)?.supervisor_id) ?? id;
  return { type, supervisor, uniqueId, instance };
}

/** Empty for some seconds after a start. */
function parseCounts(status: JsonObject | null): DaqStatus["counts"] {
  const count = (row: JsonObject | null, key: string) => numberOf(objectOf(row?.[key])?.count);
  const rowsOf = (value: unknown) => Object.entries(objectOf(value) ?? {});
  return new Map(
    rowsOf(status?.daq_job_stats).map(([supervisor, types]) => {
      const counts = rowsOf(types).map(([type, value]): [string, DaqCounts] => {
        const row = objectOf(value);
        const counted = {
          message_in_stats: count(row, "message_in_stats"),
          message_out_stats: count(row, "message_out_stats"),
          message_in_queue_stats: count(row, "message_in_queue_stats"),
          message_out_queue_stats: count(row, "message_out_queue_stats"),
          restart_stats: count(row, "restart_stats"),
          rss: numberOf(objectOf(row?.resource_stats)?.rss_mb),
        };
        return [type, counted];
      });
      return [supervisor, new Map(counts)];
    }),
  );
}

/** A key of parts that cannot be mistaken for the parts of another one, whatever is in a client's id. */
export function daqKey(...parts: readonly (string | number)[]): string {
  return parts.map((part) => String(part).replace(/[%:]/g, encodeURIComponent)).join(":");
}

/** An id or a type for people to read, on one line; the beginning of a long one. */
export function daqName(text: string): string {
  return show(text.length > 80 ? `${text.slice(0, 80)}\u2026` : text);
}

/** The beginning of all keys of a client's events. */
export function clientScope(id: string): string {
  return `${daqKey("client", id)}:`;
}

/** The parts of such a key. */
export function daqParts(key: string): readonly string[] {
  return key.split(":").map((part) => part.replace(/%(?:25|3A)/g, decodeURIComponent));
}
