import {
  type AlarmClient,
  type Detection,
  type JsonObject,
  type ParamSpecs,
  type ParamsOf,
  type Query,
  wilsonLower,
} from "swf-alarms";
import { numberOf, quote, show } from "./fields.ts";
import { checkCounts, parseTask, type Task, taskPages, unlistedTasks } from "./panda_task.ts";

const DEFAULT_STATUSES = ["running", "failed", "broken"] as const;

export const FAILURE_RATE_PARAMS = {
  threshold: {
    type: "number",
    required: true,
    min: 0,
    max: 1,
    description: "report tasks with at least this failure rate; 0.03 is 3%",
  },
  since_days: {
    type: "integer",
    default: 1,
    min: 1,
    description: "check tasks modified in the last N days",
  },
  username: { type: "string", description: "only tasks of this owner; % matches any text" },
  processingtype: { type: "string", description: "only tasks of this PanDA processing type" },
  min_terminal_jobs: {
    type: "integer",
    default: 5,
    min: 0,
    description: "ignore tasks with fewer finished and failed jobs than this",
  },
  confidence: {
    type: "number",
    min: 0.5,
    max: 0.9999,
    description:
      "report a task once its rate reaches the threshold with this confidence; 0.95 is 95%",
  },
  statuses: { type: "list", default: DEFAULT_STATUSES, description: "task statuses to check" },
} as const satisfies ParamSpecs;

export type FailureRateParams = ParamsOf<typeof FAILURE_RATE_PARAMS>;

/**
 * Yields every PanDA task whose failure rate has reached the threshold; with `confidence`, once that is certain, and
 * from then on as long as the rate itself reaches it, so that growing counts do not make the event flap.
 */
export async function* failureRate(
  client: AlarmClient,
  params: FailureRateParams,
): AsyncGenerator<Detection, void, undefined> {
  const query = taskQuery(params);
  const firing = new Set(params.confidence === undefined ? [] : await client.firing());
  const listed = new Set<string>();
  let isUnsure = false;
  for await (const page of taskPages(client, query)) {
    if (reportCounts(client, page) === "unsure") isUnsure = true;
    for (const row of page) {
      listed.add(`task:${row.jeditaskid}`);
      yield* report(client, row, params, firing);
    }
  }
  // The newest tasks of all owners show whether the service can count. Other alarms share the request.
  if (isUnsure && (query.status || query.username || query.processingtype)) {
    for await (const page of taskPages(client, { days: params.since_days })) {
      reportCounts(client, page);
      break;
    }
  }
  for await (const row of unlistedTasks(client, listed, params)) {
    if (judge(row, params).kind === "status not watched") continue;
    if (checkCounts([row]).kind !== "counted")
      client.incomplete(
        `PanDA could not count: task ${row.jeditaskid} has no job or no input file`,
      );
    yield* report(client, row, params, firing);
  }
}

function reportCounts(client: AlarmClient, page: readonly JsonObject[]): string {
  const counts = checkCounts(page);
  if (counts.kind === "failed")
    client.incomplete(`PanDA could not count: on one page, ${counts.reason}`);
  return counts.kind;
}

function* report(
  client: AlarmClient,
  row: JsonObject,
  params: FailureRateParams,
  firing: ReadonlySet<string>,
): Generator<Detection, void, undefined> {
  const verdict = judge(row, params);
  if (verdict.kind === "unreadable") client.incomplete(verdict.reason);
  if (verdict.kind !== "fires" && verdict.kind !== "not certain") return;
  const detection = describeTask(verdict.task, verdict.rate, params);
  if (verdict.kind === "fires" || firing.has(detection.dedupeKey)) yield detection;
}

/**
 * One list for several statuses: with a list for each, a task that changes its status between two
 * requests could be in none of them.
 */
function taskQuery(params: FailureRateParams): Query {
  const [status, ...others] = statusesOf(params);
  return {
    days: params.since_days,
    status: others.length === 0 ? status : undefined,
    username: params.username,
    processingtype: params.processingtype,
  };
}

/** Existing rows use an empty list for the default. */
function statusesOf({ statuses }: FailureRateParams): readonly string[] {
  return statuses.length === 0 ? DEFAULT_STATUSES : statuses;
}

/**
 * `final-failure`: of the input files that have ended, those that used up their retries.
 * `all-failures-fallback`: of the job records that have ended, those that failed, even if a retry
 * succeeded. Services from before 2026-04-22 report only this one.
 */
export interface FailureRate {
  readonly kind: "final-failure" | "all-failures-fallback";
  /** 0 to 1. */
  readonly value: number;
  /** With the parameter `confidence`: what the rate is at least, of so many input files or jobs. */
  readonly bound?: {
    readonly atLeast: number;
    readonly total: number;
    readonly confidence: number;
  };
}

export type Verdict =
  /** `not certain`: the rate has reached the threshold, but with too few files or jobs for the confidence. */
  | { readonly kind: "fires" | "not certain"; readonly task: Task; readonly rate: FailureRate }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind:
        | "status not watched"
        | "nothing has ended yet"
        | "under the threshold"
        | "too few jobs";
    };

/** Decides whether a task is reported, and why not. */
export function judge(row: JsonObject, params: FailureRateParams): Verdict {
  // First: an invalid field of a task that is not watched does not matter.
  if (typeof row.status === "string" && !statusesOf(params).includes(row.status))
    return { kind: "status not watched" };
  const parsed = parseTask(row);
  if (!parsed.ok) return { kind: "unreadable", reason: parsed.error };
  const { jeditaskid, nfailed, nfinished } = parsed.task;
  // Only a missing key means an older service; null means that no input file has ended yet.
  const isOlder = row.computed_finalfailurerate === undefined;
  const wire = isOlder ? row.computed_failurerate : row.computed_finalfailurerate;
  if (wire === null) return { kind: "nothing has ended yet" };
  const value = numberOf(wire);
  if (value === null || value < 0 || value > 1)
    return {
      kind: "unreadable",
      reason: `task ${jeditaskid} has no valid failure rate: computed_finalfailurerate is ${quote(row.computed_finalfailurerate)}, computed_failurerate is ${quote(row.computed_failurerate)}`,
    };
  if (value < params.threshold) return { kind: "under the threshold" };
  if (nfailed === null || nfinished === null)
    return { kind: "unreadable", reason: `task ${jeditaskid} has no valid nfailed or nfinished` };
  if (nfailed + nfinished < params.min_terminal_jobs) return { kind: "too few jobs" };
  const kind = isOlder ? "all-failures-fallback" : "final-failure";
  if (params.confidence === undefined)
    return { kind: "fires", task: parsed.task, rate: { kind, value } };
  const bound = boundOf(parsed.task, { kind, value }, params.confidence);
  if (bound === undefined) {
    const [failed, finished] = isOlder
      ? ["nfailed", "nfinished"]
      : ["nfinalfailed", "nfilesfinished"];
    return {
      kind: "unreadable",
      reason: `task ${jeditaskid} has the failure rate ${value}, but ${failed} ${quote(row[failed])} and ${finished} ${quote(row[finished])}; the parameter confidence needs counts that agree with the rate`,
    };
  }
  const isCertain = bound.atLeast >= params.threshold;
  return {
    kind: isCertain ? "fires" : "not certain",
    task: parsed.task,
    rate: { kind, value, bound },
  };
}

/** Undefined if the counts are missing or contradict the rate, which the service rounds to four digits. */
function boundOf(
  task: Task,
  { kind, value }: FailureRate,
  confidence: number,
): FailureRate["bound"] {
  const { nfinalfailed, nfilesfinished, nfailed, nfinished } = task;
  const [failed, finished] =
    kind === "final-failure" ? [nfinalfailed, nfilesfinished] : [nfailed, nfinished];
  if (!isCount(failed) || !isCount(finished)) return undefined;
  const total = failed + finished;
  if (!(Math.abs(failed / total - value) < 0.001)) return undefined;
  return { atLeast: wilsonLower(failed, total, confidence), total, confidence };
}

function isCount(value: number | null): value is number {
  return value !== null && Number.isSafeInteger(value) && value >= 0;
}

const TASK_PAGES = "https://epic-devcloud.org/prod/panda/tasks/";

export function describeTask(
  task: Task,
  rate: FailureRate,
  { threshold, since_days }: Pick<FailureRateParams, "threshold" | "since_days">,
): Detection {
  const { jeditaskid: id, native_failurerate: native } = task;
  const isFinal = rate.kind === "final-failure";
  const label = isFinal ? "final-failure rate" : "all-failures rate";
  const metric = percent(rate.value);
  return {
    dedupeKey: `task:${id}`,
    subject: `task ${id} (${show(task.status)}) ${label} ${metric} — ${show(task.taskname)}`,
    body: [
      `PanDA task ${id} — ${show(task.taskname)}`,
      `Status:      ${show(task.status)}`,
      `Owner:       ${show(task.username)}`,
      `Site:        ${show(task.site)}`,
      "",
      `${label}: ${metric}${certainty(rate)}  (threshold ${percent(threshold)})`,
      `Input files: retry-exhausted failed=${show(task.nfinalfailed)}  finished=${show(task.nfilesfinished)}`,
      `Jobs: nfailed=${show(task.nfailed)}  nfinished=${show(task.nfinished)}  nactive=${show(task.nactive)}`,
      isFinal
        ? "(final failures are input files that used up all their retries; a job that failed and then\n succeeded on a retry does not count)"
        : "(PanDA does not report computed_finalfailurerate, so every failed job record counts, even if\n a retry succeeded)",
      `Since: last ${since_days} day(s)`,
      native === null
        ? "JEDI native failurerate: null (expected: it is not filled for ePIC tasks)"
        : `JEDI native failurerate: ${native} (the computed rate is the one that counts)`,
      "",
      `Task page: ${TASK_PAGES}${id}/`,
    ].join("\n"),
    data: {
      metric,
      rate_kind: rate.kind,
      ...task,
      threshold,
      since_days,
      ...(rate.bound && { confidence: rate.bound.confidence, rate_at_least: rate.bound.atLeast }),
    },
  };
}

/** ` of 5 (at least 4.6% with 95% confidence)` */
function certainty({ bound }: FailureRate): string {
  if (bound === undefined) return "";
  const { total, atLeast, confidence } = bound;
  const sure = Number((confidence * 100).toFixed(2));
  return ` of ${total} (at least ${percent(atLeast)} with ${sure}% confidence)`;
}

function percent(rate: number): string {
  return `${(rate * 100).toFixed(1)}%`;
}
