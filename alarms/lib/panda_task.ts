import { type AlarmClient, type JsonObject, parseUtc, type Query } from "swf-alarms";
import { numberOf, objectOf, quote, textOf } from "./fields.ts";

/** A task of `/api/panda/tasks/`, with PanDA's names. A field that is missing or invalid is null. */
export interface Task {
  /** A string of digits beyond 2^53. */
  readonly jeditaskid: number | string;
  readonly taskname: string | null;
  readonly status: string;
  readonly username: string | null;
  /** Null or empty where the task is not bound to a site. */
  readonly site: string | null;
  /** Job records by state, over the task's whole life. */
  readonly nactive: number | null;
  readonly nfinished: number | null;
  readonly nfailed: number | null;
  readonly nretries: number | null;
  /** Input files that used up their retries, and input files that are done. */
  readonly nfinalfailed: number | null;
  readonly nfilesfinished: number | null;
  /** 0 to 1, of job records and of input files. */
  readonly computed_failurerate: number | null;
  readonly computed_finalfailurerate: number | null;
  /** JEDI's own `failurerate`, in percent. */
  readonly native_failurerate: number | null;
}

export type ParsedTask =
  | { readonly ok: true; readonly task: Task }
  | { readonly ok: false; readonly error: string };

export function parseTask(row: JsonObject): ParsedTask {
  const { jeditaskid, status } = row;
  const isLong = typeof jeditaskid === "string" && /^\d{16,}$/.test(jeditaskid);
  if (!isLong && (typeof jeditaskid !== "number" || !Number.isSafeInteger(jeditaskid)))
    return invalid(`a task has the jeditaskid ${quote(jeditaskid)}, which is not an integer`);
  if (typeof status !== "string")
    return invalid(`task ${jeditaskid} has the status ${quote(status)}, which is not a string`);
  const task: Task = {
    jeditaskid,
    taskname: textOf(row.taskname),
    status,
    username: textOf(row.username),
    site: textOf(row.site),
    nactive: numberOf(row.nactive),
    nfinished: numberOf(row.nfinished),
    nfailed: numberOf(row.nfailed),
    nretries: numberOf(row.nretries),
    nfinalfailed: numberOf(row.nfinalfailed),
    nfilesfinished: numberOf(row.nfilesfinished),
    computed_failurerate: numberOf(row.computed_failurerate),
    computed_finalfailurerate: numberOf(row.computed_finalfailurerate),
    native_failurerate: numberOf(row.failurerate),
  };
  return { ok: true, task };
}

function invalid(error: string): ParsedTask {
  return { ok: false, error };
}

export const TASKS = "/api/panda/tasks/";
/** The service's maximum. */
const PAGE_SIZE = 200;

/** Yields the tasks in the pages in which the service counted them. */
export async function* taskPages(
  client: AlarmClient,
  query: Query,
): AsyncGenerator<readonly JsonObject[], void, undefined> {
  let page: JsonObject[] = [];
  for await (const task of client.pages(TASKS, { ...query, limit: PAGE_SIZE })) {
    page.push(task);
    if (page.length < PAGE_SIZE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

const MAX_LOOKUPS = 200;

/** Which tasks an alarm watches, as parameters of the task list. */
export interface TaskFilters {
  readonly username?: string | undefined;
  readonly processingtype?: string | undefined;
}

/**
 * Yields the firing tasks that were not `listed`, each from a request of its own. Report those that still meet
 * the condition: the list may leave a task out because it has not changed for long, or by mistake.
 */
export async function* unlistedTasks(
  client: AlarmClient,
  listed: ReadonlySet<string>,
  filters: TaskFilters,
): AsyncGenerator<JsonObject, void, undefined> {
  const missing = (await client.firing()).filter(
    (key) => /^task:\d+$/.test(key) && !listed.has(key),
  );
  if (missing.length > MAX_LOOKUPS)
    client.incomplete(
      `${missing.length} firing tasks are not in the list; only ${MAX_LOOKUPS} are looked up per tick`,
    );
  for (const key of missing.slice(0, MAX_LOOKUPS)) {
    const path = `${TASKS}${key.slice("task:".length)}/`;
    const response = await client.find(path);
    // PanDA has no such task.
    if (response === undefined) continue;
    const task = objectOf(response);
    if (task === null || `task:${task.jeditaskid}` !== key)
      client.incomplete(`the response of ${path} has the jeditaskid ${quote(task?.jeditaskid)}`);
    else if (isWatched(task, filters, client.now)) yield task;
  }
}

const DAY = 86_400;
const ENDED = ["done", "failed", "aborted", "broken", "finished"];

/** Whether a task meets the filters of a list. A field that is missing does not rule it out. */
function isWatched(
  task: JsonObject,
  { username, processingtype }: TaskFilters,
  now: number,
): boolean {
  // As in the list, a task that has not ended 60 days after its creation is given up.
  const created = parseUtc(task.creationdate);
  const hasEnded = ENDED.includes(textOf(task.status) ?? "");
  if (!hasEnded && created !== undefined && created < now - 60 * DAY) return false;
  const owner = textOf(task.username);
  if (username && owner !== null && !isLike(owner, username)) return false;
  // The response for one task has the raw type under the usual name.
  const { processingtype_raw: raw = task.processingtype } = task;
  if (!processingtype || raw === undefined) return true;
  return processingtype === "__blank__" ? !raw : isLike(textOf(raw) ?? "", processingtype);
}

/** SQL's LIKE if the pattern has a `%`, otherwise equality; upper and lower case are the same. */
function isLike(text: string, pattern: string): boolean {
  if (!pattern.includes("%")) return text.toLowerCase() === pattern.toLowerCase();
  const source = pattern
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${source}$`, "isu").test(text);
}

/**
 * `failed`: PanDA's count query failed. It still responds with status 200, every count 0 and every rate
 * null, which looks as if all tasks were healthy.
 * `unsure`: there are too few tasks to tell; new tasks look the same.
 */
export type CountCheck =
  | { readonly kind: "counted" | "unsure" }
  | { readonly kind: "failed"; readonly reason: string };

/** This many tasks without counts are not a coincidence. A new site may have fewer. */
const ENOUGH = 3;

/** Jobs and input files are counted by separate queries, so either can fail alone. */
const CHECKS: readonly {
  /** Tasks that must have counts. */
  readonly needs: (task: JsonObject) => boolean;
  /** One such task proves that the query worked. */
  readonly has: (task: JsonObject) => boolean;
  readonly reason: string;
}[] = [
  {
    needs: ({ status }) =>
      status === "running" || status === "finished" || status === "done" || status === "failed",
    has: (task) => hasJobs(task) || hasFiles(task),
    reason: "are running or have ended, but none has a job or an input file",
  },
  {
    // Only running tasks: the job records of ended ones may be archived.
    needs: ({ status }) => status === "running",
    has: hasJobs,
    reason: "are running, but none has a job",
  },
  {
    needs: (task) => count(task.nfinished) > 0 && task.nfilesfinished !== undefined,
    has: hasFiles,
    reason: "have finished jobs, but none has a finished or failed input file",
  },
];

/** Checks one page: the service counts each page separately. */
export function checkCounts(page: readonly JsonObject[]): CountCheck {
  let kind: "counted" | "unsure" = "counted";
  for (const { needs, has, reason } of CHECKS) {
    const suspects = page.filter(needs).length;
    if (suspects === 0 || page.some(has)) continue;
    if (suspects >= ENOUGH) return { kind: "failed", reason: `${suspects} tasks ${reason}` };
    kind = "unsure";
  }
  return { kind };
}

function hasJobs(task: JsonObject): boolean {
  return count(task.nactive) + count(task.nfinished) + count(task.nfailed) > 0;
}

function hasFiles(task: JsonObject): boolean {
  return count(task.nfilesfinished) + count(task.nfinalfailed) > 0;
}

function count(value: unknown): number {
  return numberOf(value) ?? 0;
}
