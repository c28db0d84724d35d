import { existsSync, readFileSync } from "node:fs";
import { type ProxyResponse, startSampleProxy } from "../../src/demo/sample_proxy.ts";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";

export interface PandaOptions {
  /** Epoch seconds; by default the newest time in the tasks, which keeps recorded tasks in the window. */
  readonly now?: number;
  /** Path before `/api`, as the proxy's `/prod`. */
  readonly prefix?: string;
  /** Parameters that this server does not know, such as `status`. */
  readonly ignores?: readonly string[];
}

export interface PandaServer {
  /** For `[engine] base_url`. */
  readonly url: string;
  /** Path and query of every request so far. */
  readonly requests: string[];
  /** True while the service's count query fails: 200, with every count 0 and every rate null. */
  countsFail: boolean;
  /** Called before each response: the place to change the tasks, or to fail, in the middle of a list. */
  onRequest: (url: URL) => void;
  setTasks(tasks: readonly JsonObject[]): void;
  /** Every request gets this response until it is reset with `undefined`. */
  failWith(failure: ProxyResponse | undefined): void;
  close(): Promise<void>;
}

/** The demo's PanDA proxy, with the ways in which the real one fails. */
export async function startPandaServer(
  tasks: readonly JsonObject[],
  { now, prefix = "", ignores = [] }: PandaOptions = {},
): Promise<PandaServer> {
  const proxy = await startSampleProxy(prefix);
  let current = tasks;
  let failure: ProxyResponse | undefined;
  proxy.intercept = (url) => {
    panda.requests.push(url.pathname + url.search);
    panda.onRequest(url);
    for (const name of ignores) url.searchParams.delete(name);
    const tasks = current.filter((task) => isWanted(task, url.searchParams));
    proxy.tasks = panda.countsFail ? tasks.map(uncounted) : tasks;
    proxy.now = now ?? newestTime(current);
    return failure;
  };
  const panda: PandaServer = {
    url: proxy.baseUrl,
    requests: [],
    countsFail: false,
    onRequest: () => {},
    setTasks: (next) => {
      current = next;
    },
    failWith: (next) => {
      failure = next;
    },
    close: proxy.close,
  };
  return panda;
}

/** The filters that the demo does not need. Of a repeated parameter the last value counts; an empty one does not filter. */
function isWanted(task: JsonObject, search: URLSearchParams): boolean {
  const { username, taskname, reqid, processingtype } = Object.fromEntries(search);
  const type = task.processingtype_raw;
  const isOfType = processingtype === "__blank__" ? !type : isLike(type, processingtype ?? "");
  return (
    (!username || isLike(task.username, username)) &&
    (!taskname || isLike(task.taskname, taskname.includes("%") ? taskname : `%${taskname}%`)) &&
    (!reqid || String(task.reqid) === reqid) &&
    (!processingtype || isOfType)
  );
}

/** SQL's LIKE if the pattern has a `%`, otherwise equality. */
function isLike(value: unknown, pattern: string): boolean {
  if (typeof value !== "string" || !pattern.includes("%")) return value === pattern;
  const source = pattern
    .replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    .replaceAll("%", ".*")
    .replaceAll("_", ".");
  return new RegExp(`^${source}$`, "su").test(value);
}

const SHARED_TASKS = new URL("../../../shared/data/panda/synthetic-tasks.json", import.meta.url);

/** The tasks of the shared sample data, read in place; undefined where the checkout has none beside it. */
export function sharedTasks(): readonly JsonObject[] | undefined {
  if (!existsSync(SHARED_TASKS)) return undefined;
  const list: unknown = JSON.parse(readFileSync(SHARED_TASKS, "utf8"));
  if (!isJsonObject(list) || !Array.isArray(list.items))
    throw new Error(`${SHARED_TASKS.pathname} has no list "items"`);
  return list.items.filter(isJsonObject);
}

const COUNT =
  /^(nactive|nfinished|nfailed|nrunning|nretries|nfinalfailed|nfilesfinished|nretries_finished)$/;
const COMPUTED = /^(maxattempt|computed_.*|avg_retries_success)$/;

/** The task as the service returns it when it could not count. */
function uncounted(task: JsonObject): JsonObject {
  const fields = Object.entries(task).map(([name, value]) => [
    name,
    COUNT.test(name) ? 0 : COMPUTED.test(name) ? null : value,
  ]);
  return Object.fromEntries(fields);
}

function newestTime(tasks: readonly JsonObject[]): number {
  const times = tasks.flatMap((task) => [task.modificationtime, task.creationdate]);
  return times.reduce((newest: number, time) => Math.max(newest, parseUtc(time) ?? 0), 0);
}
