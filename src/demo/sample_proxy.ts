import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { JsonObject } from "../text/json.ts";
import { parseUtc } from "../text/utc.ts";

/** A body that is not a string is sent as JSON. */
export interface ProxyResponse {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
  readonly location?: string;
}

/** A PanDA proxy on loopback that serves made-up or recorded tasks. The tests use it too. */
export interface SampleProxy {
  /** For `[engine] base_url`. */
  readonly baseUrl: string;
  tasks: readonly JsonObject[];
  /** Epoch seconds; the task list covers the `days` before it. */
  now: number;
  /** Called before each request; a response from it replaces the proxy's own. */
  intercept: (url: URL) => ProxyResponse | undefined;
  close(): Promise<void>;
}

/** Serves `/api/panda/tasks/` and `/api/panda/tasks/ID/` below `prefix`, on a free port. */
export async function startSampleProxy(prefix = "/prod"): Promise<SampleProxy> {
  const path = `${prefix}/api/panda/tasks/`;
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://proxy.invalid");
    send(response, proxy.intercept(url) ?? respond(request.method, url, path, proxy));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null)
    throw new Error("the sample proxy has no port");
  const proxy: SampleProxy = {
    baseUrl: `http://127.0.0.1:${address.port}${prefix}`,
    tasks: [],
    now: 0,
    intercept: () => undefined,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
  return proxy;
}

function send(response: ServerResponse, { status, body, contentType, location }: ProxyResponse) {
  response.writeHead(status, {
    "content-type": contentType ?? "application/json",
    ...(location !== undefined && { location }),
  });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** For a path that the service does not know. */
const NOT_FOUND: ProxyResponse = {
  status: 404,
  body: "<!doctype html><html><head><title>Not Found</title></head><body></body></html>",
  contentType: "text/html",
};

function respond(
  method: string | undefined,
  url: URL,
  path: string,
  { tasks, now }: Pick<SampleProxy, "tasks" | "now">,
): ProxyResponse {
  if (method !== "GET") return { status: 405, body: { error: "GET only" } };
  if (`${url.pathname}/` === path)
    return { status: 301, body: "", contentType: "text/html", location: `${path}${url.search}` };
  if (url.pathname === path) return listTasks(tasks, url.searchParams, now);
  const [, id] = /^(\d+)\/$/.exec(url.pathname.replace(path, "")) ?? [];
  if (id === undefined) return NOT_FOUND;
  const task = tasks.find(({ jeditaskid }) => String(jeditaskid) === id);
  if (task === undefined) return { status: 404, body: { error: `Task ${id} not found` } };
  return { status: 200, body: task };
}

const DAY = 86_400;
const ENDED = ["done", "failed", "aborted", "broken", "finished"];

/** Filters of the task list; each names a field. An empty value does not filter. */
const FILTERS = ["status", "workinggroup"];

function listTasks(
  tasks: readonly JsonObject[],
  search: URLSearchParams,
  now: number,
): ProxyResponse {
  // Of a repeated parameter the last value counts.
  const params: { readonly [name: string]: string } = Object.fromEntries(search);
  const errors: string[] = [];
  const integer = (name: string, otherwise: number, min = 0, max = Number.MAX_SAFE_INTEGER) => {
    const text = params[name] ?? String(otherwise);
    if (!/^[+-]?\d+$/.test(text)) errors.push(`${name} must be an integer`);
    else if (Number(text) < min) errors.push(`${name} must be >= ${min}`);
    else if (Number(text) > max) errors.push(`${name} must be <= ${max}`);
    return Number(text);
  };
  const limit = integer("limit", 50, 1, 200);
  const days = integer("days", 7, 1);
  // 0 means no cursor.
  const beforeId = integer("before_id", 0);
  if (errors[0] !== undefined) return { status: 400, body: { error: errors[0] } };

  const found = tasks
    .filter((task) => time(task.modificationtime ?? task.creationdate) >= now - days * DAY)
    .filter(
      (task) => ENDED.includes(String(task.status)) || time(task.creationdate) >= now - 60 * DAY,
    )
    .filter((task) => FILTERS.every((name) => !params[name] || task[name] === params[name]))
    .sort((a, b) => Number(b.jeditaskid) - Number(a.jeditaskid));
  const rest = found.filter(({ jeditaskid }) => beforeId === 0 || Number(jeditaskid) < beforeId);
  const items = rest.slice(0, limit);
  const hasMore = rest.length > limit;
  const summary: { [status: string]: number } = {};
  for (const { status } of found) summary[String(status)] = (summary[String(status)] ?? 0) + 1;
  return {
    status: 200,
    body: {
      items,
      total_count: found.length,
      has_more: hasMore,
      next_before_id: hasMore ? items.at(-1)?.jeditaskid : null,
      summary,
      filters: {
        days,
        status: params.status || null,
        username: params.username || null,
        taskname: params.taskname || null,
        reqid: Number(params.reqid) || null,
        workinggroup: params.workinggroup || null,
        taskid: null,
      },
    },
  };
}

function time(value: unknown): number {
  return parseUtc(value) ?? 0;
}
