import { existsSync, readFileSync } from "node:fs";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { json, startServer } from "../support/http_server.ts";

export interface GracedbServer {
  /** What `[sources.gracedb] base_url` would hold. */
  readonly url: string;
  /** Path and query of every request so far. */
  readonly requests: string[];
  /** Label records by superevent. */
  readonly labels: Map<string, readonly JsonObject[]>;
  /** The status of every response about labels; 200 unless set. */
  labelStatus: number | undefined;
  /** Other responses by path, such as `superevents/S1/logs/`: a body, or the status of a failure. */
  readonly answers: Map<string, JsonObject | number>;
  close(): Promise<void>;
}

/**
 * GraceDB on loopback, which does not know queries. Its links name another host, as the recorded ones
 * do, and its pages hold no more than `pageSize` rows, whatever `count` says. The lists of its superevents are empty unless
 * set; of files it knows none.
 */
export async function startGracedb(
  rows: readonly JsonObject[],
  pageSize = 1024,
): Promise<GracedbServer> {
  const labels = new Map<string, readonly JsonObject[]>();
  const answers = new Map<string, JsonObject | number>();
  const server = await startServer((_request, response, url) => {
    const answer = answers.get(decodeURIComponent(url.pathname).replace(/^\/api\//, ""));
    if (typeof answer === "number") return json(response, { detail: "no" }, answer);
    if (answer !== undefined) return json(response, answer);
    const of = /^\/api\/superevents\/([^/]+)\/labels\/$/.exec(url.pathname)?.[1];
    if (of !== undefined) {
      if (gracedb.labelStatus !== undefined)
        return json(response, { detail: "no" }, gracedb.labelStatus);
      const records = labels.get(of) ?? [];
      return json(response, { labels: records, links: { self: "", superevent: "" } });
    }
    if (/^\/api\/superevents\/[^/]+\/voevents\/$/.test(url.pathname))
      return json(response, listResponse("voevents", []));
    if (/^\/api\/superevents\/[^/]+\/logs\/$/.test(url.pathname))
      return json(response, listResponse("log", []));
    if (url.pathname !== "/api/superevents/") return json(response, { detail: "Not found." }, 404);
    const start = Number(url.searchParams.get("start") ?? 0);
    const count = Math.min(Number(url.searchParams.get("count") ?? 1024), pageSize);
    const here = "http://gracedb.ligo.org/api/superevents/";
    const more = start + count < rows.length;
    json(response, {
      numRows: rows.length,
      superevents: rows.slice(start, start + count),
      links: {
        self: `${here}?start=${start}&count=${count}`,
        next: more ? `${here}?count=${count}&start=${start + count}` : null,
        previous: null,
        first: here,
        last: `${here}?start=${rows.length}.0&count=${count}`,
      },
    });
  });
  const gracedb: GracedbServer = {
    url: `${server.url}/api/`,
    requests: server.requests,
    labels,
    labelStatus: undefined,
    answers,
    close: server.close,
  };
  return gracedb;
}

/** A response of `superevents/ID/voevents/`, or of `/logs/`, whose list is called `log`. */
export function listResponse(name: "voevents" | "log", rows: readonly JsonObject[]): JsonObject {
  return { start: 0, numRows: rows.length, [name]: [...rows], links: {} };
}

const SNAPSHOTS = new URL("../../../shared/data/gracedb/superevents_list/", import.meta.url);

/** The rows of a recorded list, read in place; undefined where the checkout has none beside it. */
export function recordedSuperevents(snapshot: string): readonly JsonObject[] | undefined {
  const file = new URL(`${snapshot}_local_superevents.json`, SNAPSHOTS);
  if (!existsSync(file)) return undefined;
  const list: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (!isJsonObject(list) || !Array.isArray(list.superevents))
    throw new Error(`${file.pathname} has no list "superevents"`);
  return list.superevents.filter(isJsonObject);
}

/** A recorded response of `/voevents/`, or its rows; undefined where the checkout has none beside it. */
export function recordedNotices(name: string): readonly JsonObject[] | undefined {
  const file = new URL(`../voevents/${name}.json`, SNAPSHOTS);
  if (!existsSync(file)) return undefined;
  const recorded: unknown = JSON.parse(readFileSync(file, "utf8"));
  const rows = isJsonObject(recorded) ? recorded.voevents : recorded;
  if (!Array.isArray(rows)) throw new Error(`${file.pathname} has no list of notices`);
  return rows.filter(isJsonObject);
}
