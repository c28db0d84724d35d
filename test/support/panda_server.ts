import { existsSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { json, startServer } from "./http_server.ts";

export interface PandaOptions {
  /** Epoch seconds; the newest time in the tasks unless given, so that recorded tasks stay in the window. */
  readonly now?: number;
  /** Path before `/api`, as the proxy's `/prod`. */
  readonly prefix?: string;
  /** Parameters that this server does not know, such as `status`. */
  readonly ignores?: readonly string[];
}

/** An answer that is none; a body that is no text goes out as JSON. */
export interface PandaFailure {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

export interface PandaServer {
  /** Base URL: what `[engine] base_url` would hold. */
  readonly url: string;
  /** Path and query of every request so far. */
  readonly requests: string[];
  /** True while the upstream's count query fails: 200, with every count 0 and every rate null. */
  countsFail: boolean;
  /** Called before each answer: the place to change the tasks, or to fail, in the middle of a list. */
  onRequest: (url: URL) => void;
  setTasks(tasks: readonly JsonObject[]): void;
  /** Every request gets this answer until it is taken back with `undefined`. */
  failWith(failure: PandaFailure | undefined): void;
  close(): Promise<void>;
}

/** A PanDA proxy on loopback: `/api/panda/tasks/` and `…/{id}/` as the wire contract has them, panda-rest.md 1.2, 1.3 and 1.6. */
export async function startPandaServer(
  tasks: readonly JsonObject[],
  options: PandaOptions = {},
): Promise<PandaServer> {
  const prefix = options.prefix ?? "";
  const path = `${prefix}/api/panda/tasks/`;
  let current = tasks;
  let failure: PandaFailure | undefined;
  const server = await startServer((request, response, url) => {
    panda.onRequest(url);
    if (failure !== undefined) return send(response, failure);
    if (request.method !== "GET") return json(response, { error: "GET only" }, 405);
    if (`${url.pathname}/` === path) return redirect(response, `${path}${url.search}`);
    const one = url.pathname.startsWith(path)
      ? /^(\d+)\/$/.exec(url.pathname.slice(path.length))
      : null;
    if (one !== null) {
      const task = current.find(({ jeditaskid }) => jeditaskid === Number(one[1]));
      if (task === undefined) return send(response, NOT_FOUND);
      return json(response, panda.countsFail ? uncounted(task) : task);
    }
    if (url.pathname !== path) return send(response, NOT_FOUND);
    for (const name of options.ignores ?? []) url.searchParams.delete(name);
    const question = parseQuestion(url.searchParams);
    if (typeof question === "string") return json(response, { error: question }, 400);
    const page = listTasks(current, question, options.now ?? newestTime(current));
    json(response, panda.countsFail ? { ...page, items: page.items.map(uncounted) } : page);
  });
  const panda: PandaServer = {
    url: server.url + prefix,
    requests: server.requests,
    countsFail: false,
    onRequest: () => {},
    setTasks: (next) => {
      current = next;
    },
    failWith: (next) => {
      failure = next;
    },
    close: server.close,
  };
  return panda;
}

const SHARED_TASKS = new URL("../../../shared/data/panda/synthetic-tasks.json", import.meta.url);

/** The tasks of the shared sample data, read in place; undefined where the checkout has none beside it. */
export function sharedTasks(): readonly JsonObject[] | undefined {
  if (!existsSync(SHARED_TASKS)) return undefined;
  const list: unknown = JSON.parse(readFileSync(SHARED_TASKS, "utf8"));
  if (!isJsonObject(list) || !Array.isArray(list.items))
    throw new Error(`${SHARED_TASKS.pathname} is no list of tasks`);
  return list.items.filter(isJsonObject);
}

interface Question {
  readonly days: number;
  readonly limit: number;
  readonly beforeId: number | undefined;
  readonly reqid: number | undefined;
  readonly texts: { readonly [name in (typeof TEXTS)[number]]: string | undefined };
}

const TEXTS = ["status", "username", "taskname", "workinggroup", "processingtype"] as const;

/** The parameters of a request, or the text of its 400. Of a repeated parameter the last counts. */
function parseQuestion(search: URLSearchParams): Question | string {
  const params = Object.fromEntries(search);
  const limit = integer(params, "limit", 1, 200);
  const days = integer(params, "days", 1);
  const reqid = integer(params, "reqid");
  const beforeId = integer(params, "before_id");
  for (const value of [limit, days, reqid, beforeId]) if (typeof value === "string") return value;
  const number = (value: number | string | undefined) =>
    typeof value === "number" ? value : undefined;
  const [status, username, taskname, workinggroup, processingtype] = TEXTS.map(
    (name) => params[name] || undefined,
  );
  return {
    days: number(days) ?? 7,
    limit: number(limit) ?? 50,
    reqid: number(reqid) || undefined,
    // Zero is no cursor: upstream takes it for false.
    beforeId: number(beforeId) || undefined,
    texts: { status, username, taskname, workinggroup, processingtype },
  };
}

function integer(
  params: { readonly [name: string]: string },
  name: string,
  min?: number,
  max?: number,
): number | string | undefined {
  const raw = params[name];
  if (raw === undefined) return undefined;
  if (!/^\s*[+-]?\d+\s*$/.test(raw)) return `${name} must be an integer`;
  const value = Number(raw);
  if (min !== undefined && value < min) return `${name} must be >= ${min}`;
  if (max !== undefined && value > max) return `${name} must be <= ${max}`;
  return value;
}

function listTasks(tasks: readonly JsonObject[], question: Question, now: number) {
  const { days, limit, beforeId, reqid, texts } = question;
  const found = tasks
    .filter((task) => time(task.modificationtime ?? task.creationdate) >= now - days * 86_400)
    .filter((task) => !isZombie(task, now))
    .filter((task) => matches(task, texts))
    .filter((task) => reqid === undefined || task.reqid === reqid)
    .sort((a, b) => id(b) - id(a));
  const rows = found
    .filter((task) => beforeId === undefined || id(task) < beforeId)
    .slice(0, limit + 1);
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit;
  return {
    items,
    total_count: found.length,
    has_more: more,
    next_before_id: more && last !== undefined ? id(last) : null,
    summary: countByStatus(found),
    filters: {
      days,
      status: texts.status ?? null,
      username: texts.username ?? null,
      taskname: texts.taskname ?? null,
      reqid: reqid ?? null,
      workinggroup: texts.workinggroup ?? null,
      taskid: null,
    },
  };
}

function matches(task: JsonObject, texts: Question["texts"]): boolean {
  const { status, username, taskname, workinggroup, processingtype } = texts;
  const raw = task.processingtype_raw;
  return (
    (status === undefined || task.status === status) &&
    (username === undefined || isLike(task.username, username)) &&
    (taskname === undefined ||
      isLike(task.taskname, taskname.includes("%") ? taskname : `%${taskname}%`)) &&
    (workinggroup === undefined || task.workinggroup === workinggroup) &&
    (processingtype === undefined ||
      (processingtype === "__blank__" ? (raw ?? "") === "" : isLike(raw, processingtype)))
  );
}

/** SQL's LIKE where the pattern holds a `%`, otherwise equality. */
function isLike(value: unknown, pattern: string): boolean {
  if (typeof value !== "string") return false;
  if (!pattern.includes("%")) return value === pattern;
  const source = [...pattern]
    .map((sign) =>
      sign === "%" ? ".*" : sign === "_" ? "." : sign.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"),
    )
    .join("");
  return new RegExp(`^${source}$`, "su").test(value);
}

const FINAL = ["done", "failed", "aborted", "broken", "finished"];

function isZombie(task: JsonObject, now: number): boolean {
  return !FINAL.includes(String(task.status)) && time(task.creationdate) < now - 60 * 86_400;
}

function countByStatus(tasks: readonly JsonObject[]): { [status: string]: number } {
  const counts = new Map<string, number>();
  for (const { status } of tasks) counts.set(String(status), (counts.get(String(status)) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/** What the upstream makes of a task when it could not count. */
function uncounted(task: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(task).map(([name, value]) => [
      name,
      COUNTS.has(name) ? 0 : COMPUTED.has(name) ? null : value,
    ]),
  );
}

const COUNTS = new Set(
  "nactive nfinished nfailed nrunning nretries nfinalfailed nfilesfinished nretries_finished".split(
    " ",
  ),
);
const COMPUTED = new Set(
  "maxattempt computed_failurerate computed_finalfailurerate computed_progress avg_retries_success".split(
    " ",
  ),
);

function newestTime(tasks: readonly JsonObject[]): number {
  return tasks.reduce(
    (newest, task) => Math.max(newest, time(task.modificationtime), time(task.creationdate)),
    0,
  );
}

function time(value: unknown): number {
  return parseUtc(value) ?? 0;
}

function id(task: JsonObject): number {
  return typeof task.jeditaskid === "number" ? task.jeditaskid : 0;
}

const NOT_FOUND: PandaFailure = {
  status: 404,
  body: "<!doctype html><html><head><title>Not Found</title></head><body></body></html>",
  contentType: "text/html",
};

function send(response: ServerResponse, { status, body, contentType }: PandaFailure): void {
  response.writeHead(status, { "content-type": contentType ?? "application/json" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(301, { "content-type": "text/html; charset=utf-8", location });
  response.end();
}
