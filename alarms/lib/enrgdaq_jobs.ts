import type { Scalar, Track } from "swf-alarms";
import { type DaqCounts, type DaqJob, type DaqStatus, daqKey } from "./enrgdaq.ts";

/** The jobs of a client that are told apart by their type alone, as a restart gives a job a new id. */
export interface JobGroup {
  /** Its type; with the supervisor in front if that is not the client: `remote_custom/DAQJobTest`. */
  readonly name: string;
  readonly type: string;
  readonly jobs: readonly DaqJob[];
  /** Undefined for some seconds after a start. */
  readonly counts: DaqCounts | undefined;
}

export function groupJobs(id: string, status: DaqStatus): ReadonlyMap<string, JobGroup> {
  const groups = new Map<string, JobGroup>();
  for (const job of status.jobs) {
    const { type, supervisor } = job;
    const name = supervisor === id ? type : `${supervisor}/${type}`;
    const jobs = [...(groups.get(name)?.jobs ?? []), job];
    const counts = status.counts.get(supervisor)?.get(type);
    groups.set(name, { name, type, jobs, counts });
  }
  return groups;
}

/** What a Track needs of a client that has answered; received messages only of the jobs for which they matter. */
export function sampleJobs(
  id: string,
  status: DaqStatus,
  needsReceived: (name: string) => boolean,
): readonly (readonly [string, Scalar])[] {
  const samples: (readonly [string, Scalar])[] = [];
  for (const { name, type, jobs, counts } of groupJobs(id, status).values()) {
    for (const place of jobs.keys()) samples.push([daqKey("here", id, name, place), true]);
    samples.push([daqKey("instance", id, name), Math.max(...jobs.map(({ instance }) => instance))]);
    // While one of them waits for its restart, it is not in the list: its end and its start would count as two changes.
    if (!status.restarts.has(type)) samples.push([daqKey("ids", id, name), idsOf(jobs)]);
    if (jobs.length > 1) continue;
    samples.push([daqKey("out", id, name), counts?.message_out_stats ?? null]);
    if (needsReceived(name))
      samples.push([daqKey("in", id, name), counts?.message_in_stats ?? null]);
  }
  for (const [type, at] of status.restarts) samples.push([daqKey("restart", id, type), at]);
  return samples;
}

/** Another text after each restart. */
export function idsOf(jobs: readonly DaqJob[]): string {
  return jobs
    .map(({ instance, uniqueId }) => `${instance} ${uniqueId.slice(0, 8)}`)
    .sort()
    .join();
}

export interface Restarts {
  /** At least so many in the window: between two looks there may have been more. */
  readonly seen: number;
  /** By how much its `instance_id` grew, which counts the starts of all jobs of the client: at most so many. */
  readonly started: number;
}

/** How often the jobs of a name restarted, by everything that shows it. `restart_stats` does not: its count stays 0. */
export function restartsOf(track: Track, id: string, name: string): Restarts {
  const scheduled = daqKey("restart", id, name);
  const isScheduled = track.span(scheduled) !== undefined;
  const seen = Math.max(
    track.changes(daqKey("ids", id, name)) ?? 0,
    isScheduled ? (track.changes(scheduled) ?? 0) + 1 : 0,
    track.falls(daqKey("out", id, name)) ?? 0,
  );
  return { seen, started: track.growth(daqKey("instance", id, name), undefined, "ignore") ?? 0 };
}

/** Two restarts between looks and many starts are a loop that is faster than the looks; one is not. */
export function isCrashLoop({ seen, started }: Restarts, limit: number): boolean {
  return seen >= limit || (seen >= 2 && started >= limit);
}

/** What is known of a count. */
export type Rate =
  | { readonly kind: "rate"; readonly perSecond: number }
  /** There has been none in all the window. */
  | { readonly kind: "none" }
  | { readonly kind: "too early" };

/**
 * Messages per second in the latter half of the window, so that a job that stops is found before the whole window has passed. A
 * restart hides what was counted before it.
 */
export function rateOf(track: Track, key: string, now: number, window: number): Rate {
  const half = window / 2;
  const growth = track.growth(key, half);
  const span = track.span(key, half) ?? 0;
  if (growth === undefined)
    return now - (track.since(key) ?? now) >= window ? { kind: "none" } : { kind: "too early" };
  const isKnown = span >= window / 5 && track.falls(key, half) === 0;
  return isKnown ? { kind: "rate", perSecond: growth / span } : { kind: "too early" };
}
