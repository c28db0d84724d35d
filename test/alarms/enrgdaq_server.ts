import { existsSync, readFileSync } from "node:fs";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";
import { json, startServer } from "../support/http_server.ts";

/** What the service says of one client. */
export interface DaqState {
  /** The time of its latest heartbeat; a new one at each request unless it is set. */
  lastSeen?: JsonValue;
  /** A number is the status of a failure. A dead client is answered for after 30 s, as in ENRGDAQ. */
  status: JsonValue | "dead";
  /** Undefined for a client of which the service has no log; a text for an answer that has none. */
  logs?: readonly JsonObject[] | string | undefined;
}

export interface EnrgdaqServer {
  /** What `[sources.enrgdaq] base_url` would hold. */
  readonly url: string;
  /** Path of every request so far. */
  readonly requests: string[];
  readonly clients: Map<string, DaqState>;
  /** The answer to `/clients`, if it is another one. */
  answer?: JsonValue;
  close(): Promise<void>;
}

/** ENRGDAQ's REST service on loopback. */
export async function startEnrgdaq(): Promise<EnrgdaqServer> {
  const clients = new Map<string, DaqState>();
  const waiting = new Set<NodeJS.Timeout>();
  let beats = 0;
  const server = await startServer((_request, response, url) => {
    if (url.pathname === "/clients") {
      if (daq.answer !== undefined) return json(response, daq.answer);
      beats += 1;
      const beat = `beat ${beats}`;
      const rows = [...clients].map(([id, { lastSeen = beat }]) => {
        const info = { supervisor_id: id, supervisor_tags: [] };
        return [id, { identity: null, last_seen: lastSeen, info }] as const;
      });
      return json(response, Object.fromEntries(rows));
    }
    const [, id, what] = /^\/clients\/([^/]*)\/(status|logs)$/.exec(url.pathname) ?? [];
    // Its router takes an escaped slash for a slash.
    if (id === undefined || /%2f/i.test(id)) return json(response, { detail: "Not Found" }, 404);
    const state = clients.get(decodeURIComponent(id));
    if (what === "logs") {
      const { logs } = state ?? {};
      return json(response, logs === undefined ? { error: "Client not found" } : { logs });
    }
    if (state === undefined)
      return json(response, { detail: "Client not found or not connected." }, 404);
    const { status } = state;
    if (status === "dead") {
      const detail = "Timeout waiting for client response.";
      waiting.add(setTimeout(() => json(response, { detail }, 504), 30_000));
    } else if (typeof status === "number") json(response, { detail: "no" }, status);
    else json(response, status);
  });
  const daq: EnrgdaqServer = {
    url: server.url,
    requests: server.requests,
    clients,
    close: async () => {
      for (const timer of waiting) clearTimeout(timer);
      await server.close();
    },
  };
  return daq;
}

export interface JobFacts {
  readonly type: string;
  readonly instance?: number;
  readonly uniqueId?: string;
  /** The client itself unless said otherwise. */
  readonly supervisor?: string;
  /** Messages; null for a job without counts. */
  readonly out?: number | null;
  readonly in?: number;
  readonly rss?: number;
}

/** The status of a client with these jobs. */
export function statusOf(
  id: string,
  jobs: readonly JobFacts[],
  restarts: { readonly [type: string]: string } = {},
): JsonObject {
  const counts = new Map<string, Map<string, JsonObject>>();
  for (const { type, supervisor = id, out = 100, in: received = 0, rss = 70 } of jobs) {
    if (out === null) continue;
    const count = (value: number) => ({ count: value, last_updated: "2026-11-20T15:48:08.486178" });
    const row = {
      message_in_stats: count(received),
      message_out_stats: count(out),
      message_in_queue_stats: { count: received, last_updated: null },
      message_out_queue_stats: { count: 0, last_updated: null },
      restart_stats: { count: 0, last_updated: null },
      resource_stats: { cpu_percent: 0, rss_mb: rss },
      is_alive: true,
    };
    const rows = counts.get(supervisor) ?? new Map<string, JsonObject>();
    counts.set(supervisor, rows.set(type, row));
  }
  return {
    supervisor_info: { supervisor_id: id, supervisor_tags: [] },
    daq_jobs: jobs.map(({ type, instance = 0, uniqueId = "be36474c-40cf", supervisor = id }) => ({
      daq_job_type: type,
      unique_id: uniqueId,
      instance_id: instance,
      config: "# No config",
      subscribed_topics: [],
      supervisor_info: { supervisor_id: supervisor, supervisor_tags: [] },
    })),
    daq_job_stats: Object.fromEntries(
      [...counts].map(([supervisor, rows]) => [supervisor, Object.fromEntries(rows)]),
    ),
    daq_job_remote_stats: {},
    restart_schedules: Object.entries(restarts).map(([job, restart_at]) => ({ job, restart_at })),
  };
}

export function logLine(level: string, message: string, timestamp: string): JsonObject {
  const module = "Supervisor(daq-det1)";
  return { type: "CNCMessageLog", level, message, timestamp, module, client_id: "x", req_id: null };
}

const RECORDED = new URL("../../../shared/data/enrgdaq/", import.meta.url);

export const hasRecording = existsSync(RECORDED);

/** A recorded answer, read in place. */
export function recorded(name: string): JsonObject {
  const value: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, RECORDED), "utf8"));
  if (!isJsonObject(value)) throw new Error(`${name} is not an object`);
  return value;
}

/** The lines of a recorded log. */
export function recordedLog(name: string): readonly JsonObject[] {
  const { logs } = recorded(name);
  if (!Array.isArray(logs)) throw new Error(`${name} has no logs`);
  return logs.filter(isJsonObject);
}
