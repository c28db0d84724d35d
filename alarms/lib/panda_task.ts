import type { JsonObject } from "swf-alarms";
import { numberOf, quote, textOf } from "./fields.ts";

/** A row of `/api/panda/tasks/`, as far as the failure rate needs it. Null is what could not be read. */
export interface Task {
  readonly id: number;
  readonly name: string | null;
  readonly status: string;
  readonly owner: string | null;
  /** Null or empty where the task is not bound to a site. */
  readonly site: string | null;
  readonly failureRate: FailureRate;
  /** Job records by state, over the task's whole life. */
  readonly nactive: number | null;
  readonly nfinished: number | null;
  readonly nfailed: number | null;
  readonly nretries: number | null;
  /** Input files that used up their retries, and input files that are done. */
  readonly nfinalfailed: number | null;
  readonly nfilesfinished: number | null;
  readonly computedFailureRate: number | null;
  readonly computedFinalFailureRate: number | null;
  readonly nativeFailureRate: number | null;
}

/**
 * `final-failure`: of the input files that have ended, the part that used up its retries.
 * `all-failures-fallback`: of the job records that have ended, the failed part, retries included. An
 * upstream from before 2026-04-22 knows no other.
 */
export interface FailureRate {
  readonly kind: "final-failure" | "all-failures-fallback";
  /** 0 to 1; null while nothing has ended. */
  readonly value: number | null;
}

export type ParsedTask =
  | { readonly ok: true; readonly task: Task }
  | { readonly ok: false; readonly fault: string };

/** A row as a task, or what makes it useless for the failure rate. */
export function parseTask(row: JsonObject): ParsedTask {
  const { jeditaskid: id, status } = row;
  if (typeof id !== "number" || !Number.isSafeInteger(id))
    return fault(`a task has the jeditaskid ${quote(id)}, which is no integer`);
  if (typeof status !== "string")
    return fault(`task ${id} has the status ${quote(status)}, which is no text`);
  const failureRate = parseRate(row);
  if (failureRate === undefined) {
    return fault(
      `task ${id} has no readable failure rate: computed_finalfailurerate is ${quote(row.computed_finalfailurerate)}, computed_failurerate is ${quote(row.computed_failurerate)}`,
    );
  }
  const task: Task = {
    id,
    name: textOf(row.taskname),
    status,
    owner: textOf(row.username),
    site: textOf(row.site),
    failureRate,
    nactive: numberOf(row.nactive),
    nfinished: numberOf(row.nfinished),
    nfailed: numberOf(row.nfailed),
    nretries: numberOf(row.nretries),
    nfinalfailed: numberOf(row.nfinalfailed),
    nfilesfinished: numberOf(row.nfilesfinished),
    computedFailureRate: numberOf(row.computed_failurerate),
    computedFinalFailureRate: numberOf(row.computed_finalfailurerate),
    nativeFailureRate: numberOf(row.failurerate),
  };
  return { ok: true, task };
}

/**
 * Only a key that is *missing* means an older upstream. A key that is there and null means that no
 * input file has ended yet: falling back then would page on jobs that are still being retried.
 */
function parseRate(row: JsonObject): FailureRate | undefined {
  const isOlder = row.computed_finalfailurerate === undefined;
  const value = isOlder ? row.computed_failurerate : row.computed_finalfailurerate;
  const rate = numberOf(value);
  // A number that is no part of a whole, such as -1 for "unknown", says nothing about the task.
  if (value !== null && (rate === null || rate < 0 || rate > 1)) return undefined;
  return { kind: isOlder ? "all-failures-fallback" : "final-failure", value: rate };
}

function fault(text: string): ParsedTask {
  return { ok: false, fault: text };
}
