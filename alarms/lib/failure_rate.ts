import type { AlarmClient, Detection, JsonObject, ParamSpecs, ParamsOf, Query } from "swf-alarms";
import { checkCounts } from "./count_check.ts";
import { describeTask } from "./failure_rate_text.ts";
import { inPages } from "./in_pages.ts";
import { parseTask, type Task } from "./panda_task.ts";
import { isOutOfWindow } from "./task_window.ts";

const DEFAULT_STATUSES = ["running", "failed", "broken"] as const;

export const FAILURE_RATE_PARAMS = {
  threshold: {
    type: "number",
    required: true,
    min: 0,
    max: 1,
    description: "failure rate from which a task is told; 0.03 is 3%",
  },
  since_days: {
    type: "integer",
    default: 1,
    min: 1,
    description: "look at tasks that were modified in the last so many days",
  },
  username: { type: "string", description: "only tasks of this owner; % stands for any text" },
  processingtype: { type: "string", description: "only tasks of this PanDA processing type" },
  min_terminal_jobs: {
    type: "integer",
    default: 5,
    min: 0,
    description: "leave out tasks with fewer finished and failed jobs than this",
  },
  statuses: { type: "list", default: DEFAULT_STATUSES, description: "task statuses to look at" },
} as const satisfies ParamSpecs;

export type FailureRateParams = ParamsOf<typeof FAILURE_RATE_PARAMS>;

const TASKS = "/api/panda/tasks/";
/** The most that the upstream gives at once; asked for, so that the pages are known to be this long. */
const PAGE = 200;

/** Yields every PanDA task whose failure rate has reached the threshold. */
export async function* failureRate(
  client: AlarmClient,
  params: FailureRateParams,
): AsyncGenerator<Detection, void, undefined> {
  const query = taskQuery(params);
  const seen = new Set<string>();
  let unsure = false;
  for await (const page of inPages(client.pages(TASKS, query), PAGE)) {
    const counts = checkCounts(page);
    if (counts.kind === "failed") client.incomplete(couldNotCount(counts.reason));
    if (counts.kind === "unsure") unsure = true;
    for (const row of page) {
      seen.add(`task:${row.jeditaskid}`);
      const verdict = judge(row, params);
      if (verdict.kind === "unreadable") client.incomplete(verdict.reason);
      if (verdict.kind === "fires") yield describeTask(verdict.task, verdict.rate, params);
    }
  }
  if (unsure && isNarrow(query)) await askWider(client, params);
  yield* stillFailing(client, params, seen);
}

/** Requests for tasks that have left the list, in one tick. */
const MOST_LOOKUPS = 200;

/**
 * The list holds tasks that changed in the last `since_days`. One that fires and stays as it is leaves
 * it all the same; it is asked for by its number, or its event would clear, and come back with the next
 * change.
 */
async function* stillFailing(
  client: AlarmClient,
  params: FailureRateParams,
  seen: ReadonlySet<string>,
): AsyncGenerator<Detection, void, undefined> {
  const left = (await client.firing()).filter((key) => /^task:\d+$/.test(key) && !seen.has(key));
  if (left.length > MOST_LOOKUPS)
    client.incomplete(
      `${left.length} firing tasks are not in the list, more than can be asked for`,
    );
  for (const key of left.slice(0, MOST_LOOKUPS)) {
    const row = await client.find(`${TASKS}${key.slice("task:".length)}/`);
    // What the window does not explain is the list's to say: the owner or the status is another one.
    if (!isOutOfWindow(row, key, params, client.now)) continue;
    if (checkCounts([row]).kind !== "counted")
      client.incomplete(couldNotCount(`${key} shows no job and no input file`));
    const verdict = judge(row, params);
    if (verdict.kind === "unreadable") client.incomplete(verdict.reason);
    if (verdict.kind === "fires") yield describeTask(verdict.task, verdict.rate, params);
  }
}

/**
 * One list of all statuses, from which the wanted ones are taken here. Asked status by status, a task
 * that changes while the lists are read (failed, then tried again) could be in none of them: its event
 * would clear and fire again. The list is in the order of ids, which do not change, so each task is
 * read once. It costs less than one request for each status while the window holds a few hundred tasks;
 * with `since_days` of weeks it reads every task of those weeks, so an alarm for one status asks for
 * that one alone. The owner's filter is left to the upstream, which knows an owner's other names.
 */
function taskQuery(params: FailureRateParams): Query {
  const [status, ...others] = statusesOf(params);
  return {
    days: params.since_days,
    status: others.length === 0 ? status : undefined,
    username: params.username,
    processingtype: params.processingtype,
    limit: PAGE,
  };
}

/** An empty list means the default, as rows that are in use have it. */
function statusesOf({ statuses }: FailureRateParams): readonly string[] {
  return statuses.length === 0 ? DEFAULT_STATUSES : statuses;
}

export type Verdict =
  | { readonly kind: "fires"; readonly task: Task; readonly rate: number }
  | { readonly kind: "unreadable"; readonly reason: string }
  | {
      readonly kind:
        | "status not watched"
        | "nothing has ended yet"
        | "under the threshold"
        | "too few jobs";
    };

/** Whether a task is told, and why not. */
export function judge(row: JsonObject, params: FailureRateParams): Verdict {
  // Looked at first: what is wrong with a task that is not watched does not matter.
  if (typeof row.status === "string" && !statusesOf(params).includes(row.status))
    return { kind: "status not watched" };
  const parsed = parseTask(row);
  if (!parsed.ok) return { kind: "unreadable", reason: parsed.fault };
  const { task } = parsed;
  const rate = task.failureRate.value;
  if (rate === null) return { kind: "nothing has ended yet" };
  if (rate < params.threshold) return { kind: "under the threshold" };
  if (task.nfailed === null || task.nfinished === null)
    return { kind: "unreadable", reason: `task ${task.id} lacks nfailed or nfinished` };
  if (task.nfailed + task.nfinished < params.min_terminal_jobs) return { kind: "too few jobs" };
  return { kind: "fires", task, rate };
}

function isNarrow({ status, username, processingtype }: Query): boolean {
  return Boolean(status || username || processingtype);
}

/**
 * One or two tasks without counts do not tell whether the upstream could count; the newest tasks of
 * everybody do. It is the first page of the alarm for all tasks, which the engine fetches once. The
 * limit of the guard: where that page has fewer than three tasks either, zeros are taken as they are.
 */
async function askWider(client: AlarmClient, params: FailureRateParams): Promise<void> {
  const everybody = client.pages(TASKS, { days: params.since_days, limit: PAGE });
  for await (const page of inPages(everybody, PAGE)) {
    const counts = checkCounts(page);
    if (counts.kind === "failed") client.incomplete(couldNotCount(counts.reason));
    return;
  }
}

function couldNotCount(reason: string): string {
  return `the upstream could not count: ${reason}`;
}
