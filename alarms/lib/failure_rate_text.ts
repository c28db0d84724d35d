import type { Detection } from "swf-alarms";
import { show } from "./fields.ts";
import type { Task } from "./panda_task.ts";

const TASK_PAGES = "https://epic-devcloud.org/prod/panda/tasks/";

export interface FailureRateLimits {
  readonly threshold: number;
  readonly since_days: number;
}

/** A task whose rate, 0 to 1, has reached the threshold, in words and as facts for the dashboard. */
export function describeTask(task: Task, rate: number, limits: FailureRateLimits): Detection {
  const isFinal = task.failureRate.kind === "final-failure";
  const label = isFinal ? "final-failure rate" : "all-failures rate";
  return {
    dedupeKey: `task:${task.id}`,
    subject: `task ${task.id} (${show(task.status)}) ${label} ${percent(rate)} — ${show(task.name)}`,
    body: [
      `PanDA task ${task.id} — ${show(task.name)}`,
      `Status:      ${show(task.status)}`,
      `Owner:       ${show(task.owner)}`,
      `Site:        ${show(task.site)}`,
      "",
      `${label}: ${percent(rate)}  (threshold ${percent(limits.threshold)})`,
      `Input files: retry-exhausted failed=${show(task.nfinalfailed)}  finished=${show(task.nfilesfinished)}`,
      `Jobs: nfailed=${show(task.nfailed)}  nfinished=${show(task.nfinished)}  nactive=${show(task.nactive)}`,
      isFinal
        ? "(final failures are input files that used up all their retries; a job that failed and then\n succeeded on a retry does not count)"
        : "(the upstream does not report computed_finalfailurerate, so every failed job record counts,\n also one that succeeded on a retry)",
      `Since: last ${limits.since_days} day(s)`,
      task.nativeFailureRate === null
        ? "JEDI native failurerate: null (expected: it is not filled for ePIC tasks)"
        : `JEDI native failurerate: ${task.nativeFailureRate} (the computed rate is the one that counts)`,
      "",
      `Task page: ${TASK_PAGES}${task.id}/`,
    ].join("\n"),
    data: {
      metric: percent(rate),
      rate_kind: task.failureRate.kind,
      jeditaskid: task.id,
      taskname: task.name,
      status: task.status,
      username: task.owner,
      site: task.site,
      computed_failurerate: task.computedFailureRate,
      computed_finalfailurerate: task.computedFinalFailureRate,
      native_failurerate: task.nativeFailureRate,
      nactive: task.nactive,
      nfinished: task.nfinished,
      nfailed: task.nfailed,
      nfinalfailed: task.nfinalfailed,
      nfilesfinished: task.nfilesfinished,
      nretries: task.nretries,
      threshold: limits.threshold,
      since_days: limits.since_days,
    },
  };
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)}%`;
}
