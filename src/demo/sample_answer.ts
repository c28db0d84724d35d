import { parseUtc } from "../text/utc.ts";
import type { SampleTask } from "./sample_tasks.ts";

/** An answer of the proxy, before it is written out. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

const DEFAULT_DAYS = 7;
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

/** The answer to `GET /api/panda/tasks/?…`, by the rules of the real one. `tasks` newest first. */
export function answerTasks(
  tasks: readonly SampleTask[],
  query: URLSearchParams,
  now: number,
): Answer {
  const days = wholeNumber(query, "days", DEFAULT_DAYS);
  if (typeof days === "string") return refusal(days);
  const limit = wholeNumber(query, "limit", DEFAULT_LIMIT);
  if (typeof limit === "string") return refusal(limit);
  const beforeId = wholeNumber(query, "before_id", 0);
  if (typeof beforeId === "string") return refusal(beforeId);
  if (days < 1) return refusal("days must be >= 1");
  if (limit < 1) return refusal("limit must be >= 1");
  if (limit > MAX_LIMIT) return refusal(`limit must be <= ${MAX_LIMIT}`);

  const since = now - days * 86_400;
  const found = tasks.filter(
    (task) => (parseUtc(task.modificationtime) ?? 0) >= since && isAsked(task, query),
  );
  const rest = beforeId === 0 ? found : found.filter(({ jeditaskid }) => jeditaskid < beforeId);
  const items = rest.slice(0, limit);
  const hasMore = rest.length > items.length;
  return {
    status: 200,
    body: {
      items,
      total_count: found.length,
      has_more: hasMore,
      next_before_id: hasMore ? (items.at(-1)?.jeditaskid ?? null) : null,
      summary: countByStatus(found),
      filters: {
        days,
        status: query.get("status"),
        username: query.get("username"),
        taskname: query.get("taskname"),
        reqid: query.get("reqid"),
        workinggroup: query.get("workinggroup"),
        taskid: null,
      },
    },
  };
}

function isAsked(task: SampleTask, query: URLSearchParams): boolean {
  return (
    isEqual(task.status, query.get("status")) &&
    isLike(task.username, query.get("username")) &&
    isLike(task.processingtype_raw, query.get("processingtype")) &&
    isEqual(task.workinggroup, query.get("workinggroup")) &&
    isEqual(String(task.reqid), query.get("reqid")) &&
    task.taskname.includes(query.get("taskname") ?? "")
  );
}

/** A filter that is absent or empty lets everything through. */
function isEqual(value: string, wanted: string | null): boolean {
  return wanted === null || wanted === "" || value === wanted;
}

/** Exact, or SQL's LIKE when it holds `%`. */
function isLike(value: string, wanted: string | null): boolean {
  if (wanted === null || !wanted.includes("%")) return isEqual(value, wanted);
  const pattern = wanted.split("%").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pattern.join(".*")}$`, "s").test(value);
}

function countByStatus(tasks: readonly SampleTask[]): { [status: string]: number } {
  const counts: { [status: string]: number } = {};
  for (const { status } of tasks) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** A text is what is wrong with it. */
function wholeNumber(query: URLSearchParams, name: string, otherwise: number): number | string {
  const text = query.get(name);
  if (text === null) return otherwise;
  return /^-?\d+$/.test(text) ? Number(text) : `${name} must be an integer`;
}

function refusal(error: string): Answer {
  return { status: 400, body: { error } };
}
