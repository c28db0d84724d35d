import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FetchError } from "../../src/source/fetch_error.ts";
import type { SharedSource } from "../../src/source/share.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { WorkerPool } from "../../src/worker/worker_pool.ts";
import { NOTHING_STORED } from "../support/client_facts.ts";
import { json, startServer } from "../support/http_server.ts";
import {
  answerAt,
  headersAt,
  type ListedPages,
  listedPages,
  placeOf,
  questionFor,
  seenOf,
} from "../support/listed_pages.ts";
import { jsonResponse } from "../support/responses.ts";
import { type WholeOutcome, wholeOutcome } from "../support/run_detect.ts";
import { closeSources, makeSource } from "../support/sources.ts";

const LIMITS = { timeout: 30, memory: 256, detections: 100 };

/** Yields the first items of a list, so many of them. */
const TAKES = `export async function* detect(client, { path, query, paging, take, catches }) {
  let taken = 0;
  try {
    if (take > 0)
      for await (const { id } of client.pages(path, query, paging)) {
        yield { dedupeKey: id };
        if (++taken === take) break;
      }
  } catch (error) {
    if (!catches) throw error;
  }
}`;

let folder = "";
let workers: WorkerPool;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-ahead-"));
  const { signal } = new AbortController();
  workers = new WorkerPool({
    limits: LIMITS,
    cpuTime: 60,
    log: () => {},
    redact: (text) => text,
    signal,
  });
});
afterEach(async () => {
  await workers.close();
  await closeSources();
  rmSync(folder, { recursive: true, force: true });
});

interface Given {
  readonly main: SharedSource;
  readonly params?: JsonObject;
  /** Seconds. */
  readonly timeout?: number;
  readonly log?: (message: string) => void;
}

async function detect(
  name: string,
  text: string,
  { main, params = {}, timeout = LIMITS.timeout, log = () => {} }: Given,
): Promise<WholeOutcome> {
  const path = join(folder, `${name}.mjs`);
  writeFileSync(path, text);
  const outcome = await workers.detect({
    file: { name, path },
    params,
    sources: new Map([["main", main]]),
    now: 0,
    limits: { ...LIMITS, timeout },
    ...NOTHING_STORED,
    paramsOf: () => params,
    decideDetails: () => () => true,
    stages: [],
    log,
  });
  return wholeOutcome(outcome);
}

/** A source whose answers a test makes; `/never` has none. */
function sourceOf(answer: (path: string) => unknown): SharedSource {
  return {
    kind: "http" as const,
    maxConnections: 4,
    request: async ({ path, query }) => {
      const place = query.before_id === undefined ? path : `${path}?${query.before_id}`;
      return jsonResponse(await answer(place));
    },
  };
}

const FIRST = { items: [{ id: "first", number: 2 }], has_more: true, next_before_id: 2 };
const never = new Promise(() => {});

test("any list and any module: its items, a failure where it reaches one, and at most one request more", async () => {
  const lists = new Map<string, ListedPages>();
  const server = await startServer((_, response, url) => {
    const list = lists.get(url.pathname);
    const place = list === undefined ? 0 : placeOf(list, url.searchParams);
    const answer = list === undefined ? {} : answerAt(list, place);
    for (const [name, value] of Object.entries(list === undefined ? {} : headersAt(list, place)))
      response.setHeader(name, value);
    json(response, answer ?? { error: "no" }, answer === undefined ? 403 : 200);
  });
  // One connection: what was asked before is answered before.
  const main = makeSource({ baseUrl: server.url, maxConnections: 1 });
  await fc.assert(
    fc.asyncProperty(listedPages, fc.nat(12), fc.boolean(), async (list, take, catches) => {
      const path = `/${lists.size}`;
      lists.set(path, list);
      const params = { path, ...questionFor(list), take, catches };
      const outcome = await detect("takes", TAKES, { main, params });
      await main.request({ path: "/last", query: { of: path } });

      const seen = seenOf(list, take);
      expect(outcome.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(seen.items);
      expect(outcome).toMatchObject(
        !seen.fails
          ? { status: "complete", cause: undefined, reasons: [] }
          : catches
            ? { status: "partial", cause: undefined, reasons: [expect.stringMatching(/^GET /)] }
            : { status: "failed", cause: "source", reasons: [expect.stringMatching(/^GET /)] },
      );
      const requests = server.requests.filter((asked) => asked.startsWith(`${path}?`));
      expect(requests.length).toBeGreaterThanOrEqual(seen.pages);
      expect(requests.length).toBeLessThanOrEqual(seen.pages + (seen.more || seen.fails ? 1 : 0));
    }),
    { numRuns: 60 },
  );
  await server.close();
});

describe("a page ahead from a service that is not well for a moment", () => {
  /** The second page of each list fails once. */
  async function troubled() {
    const seen = new Map<string, number>();
    const server = await startServer((_, response, url) => {
      const count = (seen.get(url.href) ?? 0) + 1;
      seen.set(url.href, count);
      if (!url.searchParams.has("before_id")) return json(response, FIRST);
      if (count === 1) return json(response, { error: "busy" }, 503);
      json(response, {
        items: [{ id: "second", number: 1 }],
        has_more: false,
        next_before_id: null,
      });
    });
    return { server, main: makeSource({ baseUrl: server.url, maxConnections: 1 }) };
  }
  const list = { path: "/list", query: {}, paging: { style: "keyset" }, catches: false };

  test("is requested at most once if the module stops before it, and counts nowhere", async () => {
    const { server, main } = await troubled();
    const outcome = await detect("stops", TAKES, { main, params: { ...list, take: 1 } });
    await main.request({ path: "/last", query: {} });
    expect(outcome).toMatchObject({ status: "complete", reasons: [] });
    // It ends with the run, perhaps before it was sent.
    const pages = server.requests.filter((asked) => asked.startsWith("/list"));
    expect(pages.length).toBeLessThanOrEqual(2);
    expect(main.counts).toMatchObject({ requests: 2, succeeded: 2, lastError: undefined });
    await server.close();
  });

  test("is requested again if the module needs it", async () => {
    const { server, main } = await troubled();
    const outcome = await detect("goes_on", TAKES, { main, params: { ...list, take: 9 } });
    expect(outcome).toMatchObject({ status: "complete", reasons: [] });
    expect(outcome.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["first", "second"]);
    expect(server.requests).toHaveLength(3);
    await server.close();
  });
});

describe("a page ahead that never comes, when time is up", () => {
  const main = sourceOf((place) => (place === "/list" ? FIRST : never));
  test.each([
    [
      "is not why a module is late that waits for something else",
      "await new Promise(() => {});",
      "module",
    ],
    ["is not why a module is late that blocks the event loop", "for (;;);", "module"],
    ["is why a module is late that waits for it", "", "source"],
  ])("%s", async (_, between, cause) => {
    const text = `export async function* detect(client) {
      for await (const { id } of client.pages("/list")) { yield { dedupeKey: id }; ${between} }
    }`;
    expect(await detect("late", text, { main, timeout: 2 })).toMatchObject({
      status: "failed",
      cause,
      reasons: [expect.stringMatching(/^out of time: /)],
      detections: [{ dedupeKey: "first" }],
    });
  });
});

describe("a page that is under way when its module breaks off", () => {
  const BREAKS = `export async function* detect(client) {
    for await (const { id } of client.pages("/list")) break;
    yield { dedupeKey: process.pid };
    client.log("it breaks off");
  }`;
  const ASKS = `export async function* detect(client) {
    yield { dedupeKey: process.pid };
    for (let at = 0; at < 5; at++) yield { dedupeKey: (await client.get("/next/" + at)).id };
  }`;
  const next = [0, 1, 2, 3, 4].map((at) => `/next/${at}`);

  test.each<
    [string, (settle: { answer(): void; fail(): void }) => { log?(): void; next?(): void }]
  >([
    ["is answered while it ends", ({ answer }) => ({ log: answer })],
    ["fails while it ends", ({ fail }) => ({ log: fail })],
    ["is answered while the next one runs", ({ answer }) => ({ next: answer })],
    ["fails while the next one runs", ({ fail }) => ({ next: fail })],
    ["is never answered", () => ({})],
  ])(
    "and %s: the next module runs in the same process and hears nothing of it",
    async (_, when) => {
      let settle = { answer: (): void => {}, fail: (): void => {} };
      const page = new Promise((resolve, reject) => {
        settle = {
          answer: () => resolve({ items: [{ id: "late", number: 1 }], has_more: false }),
          fail: () =>
            reject(new FetchError({ kind: "status", reason: "GET /list from main: status 403" })),
        };
      });
      page.catch(() => {});
      const { log = () => {}, next: during = () => {} } = when(settle);
      const main = sourceOf((place) => {
        if (place === "/list") return FIRST;
        if (place === "/list?2") return page;
        during();
        return { id: place };
      });
      const first = await detect("breaks", BREAKS, { main, log });
      const second = await detect("asks", ASKS, { main });
      const pid = first.detections[0]?.dedupeKey;
      expect(first).toMatchObject({ status: "complete", reasons: [] });
      expect(second).toMatchObject({ status: "complete", reasons: [] });
      expect(second.detections.map(({ dedupeKey }) => dedupeKey)).toEqual([pid, ...next]);
    },
  );

  test("is not requested again by what the module left running", async () => {
    const keeps = `let list;
    export async function* detect(client) {
      if (list !== undefined) {
        yield { dedupeKey: await list.next().then(() => "read", () => "closed") };
        return;
      }
      list = client.pages("/list");
      yield { dedupeKey: (await list.next()).value.id };
    }`;
    const asked: string[] = [];
    const main = sourceOf((place) => {
      asked.push(place);
      return place === "/list" ? FIRST : never;
    });
    const keys: unknown[] = [];
    for (let run = 0; run < 2; run++) {
      const { status, detections } = await detect("keeps", keeps, { main });
      expect(status).toBe("complete");
      keys.push(...detections.map(({ dedupeKey }) => dedupeKey));
    }
    expect(keys).toEqual(["first", "closed"]);
    expect(asked.slice(0, 1)).toEqual(["/list"]);
    expect(asked.length).toBeLessThanOrEqual(2);
  });
});
