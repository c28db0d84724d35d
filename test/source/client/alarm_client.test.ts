import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import type { AlarmClient } from "../../../src/source/client/client.ts";
import type { Paging } from "../../../src/source/client/paging.ts";
import { FetchError } from "../../../src/source/fetch_error.ts";
import { queryText } from "../../../src/source/query.ts";
import type { Requester } from "../../../src/source/requester.ts";
import { errorText } from "../../../src/text/describe.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";
import { json, startServer, type TestServer } from "../../support/http_server.ts";
import {
  answerAt,
  headersAt,
  listedPages,
  placeOf,
  questionFor,
  seenOf,
} from "../../support/listed_pages.ts";
import { jsonResponse } from "../../support/responses.ts";
import { closeSources, makeSource } from "../../support/sources.ts";

const LINKS: Paging = { style: "links.next", list: "superevents" };

let server: TestServer;
beforeAll(async () => {
  server = await startServer(() => {});
});
beforeEach(() => {
  server.requests.length = 0;
  server.answer = (_request, response) => json(response, { ok: true });
});
afterEach(closeSources);
afterAll(() => server.close());

interface Watched {
  readonly client: AlarmClient;
  /** Every reason why the module did not see everything. */
  readonly reasons: string[];
  readonly logged: string[];
}

/** The client of one alarm, and what the engine learns from it. */
function watch(
  sources: { readonly [name: string]: Requester } = { main: makeSource({ baseUrl: server.url }) },
  signal: AbortSignal = new AbortController().signal,
): Watched {
  const reasons: string[] = [];
  const logged: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map(Object.entries(sources)),
    now: 1_790_000_000.5,
    signal,
    log: (message) => void logged.push(message),
    onIncomplete: (reason) => void reasons.push(reason),
  });
  return { client, reasons, logged };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** Serves PanDA's keyset paging over ids from `count` down to 1. */
function serveTasks(
  count: number,
  change: (url: URL, page: object) => unknown = (_, page) => page,
) {
  server.answer = (_request, response, url) => {
    const limit = Number(url.searchParams.get("limit") ?? 50);
    const before = Number(url.searchParams.get("before_id") ?? count + 1);
    const ids = Array.from(
      { length: Math.min(limit, before - 1) },
      (_, index) => before - 1 - index,
    );
    const last = ids.at(-1) ?? 1;
    const page = {
      items: ids.map((id) => ({ jeditaskid: id })),
      total_count: count,
      has_more: last > 1,
      next_before_id: last > 1 ? last : null,
    };
    json(response, change(url, page));
  };
}

describe("the client", () => {
  test("has the tick's time and signal, and reports to the engine", () => {
    const { signal } = new AbortController();
    const { client, reasons, logged } = watch({}, signal);
    expect(client.now).toBe(1_790_000_000.5);
    expect(client.signal).toBe(signal);
    client.log("looking");
    client.incomplete("half of the sites did not answer");
    expect(logged).toEqual(["looking"]);
    expect(reasons).toEqual(["half of the sites did not answer"]);
  });

  test("a reason that is not a string becomes one", () => {
    const { client, reasons } = watch();
    const incomplete: (reason: never) => void = client.incomplete;
    Reflect.apply(incomplete, client, [new Error("boom")]);
    Reflect.apply(incomplete, client, []);
    expect(reasons).toEqual(["Error: boom", "undefined"]);
  });
});

describe("get and find", () => {
  test("a response is returned, and the outcome stays complete", async () => {
    const { client, reasons } = watch();
    expect(await client.get("/x/", { days: 1 })).toEqual({ ok: true });
    expect(await client.find("/y/")).toEqual({ ok: true });
    expect(server.requests).toEqual(["/x/?days=1", "/y/"]);
    expect(reasons).toEqual([]);
  });

  test("null is a response", async () => {
    server.answer = (_request, response) => json(response, null);
    const { client, reasons } = watch();
    expect(await client.get("/x/")).toBeNull();
    expect(await client.find("/y/")).toBeNull();
    expect(reasons).toEqual([]);
  });

  test("a 404 is undefined for find, and an error for get", async () => {
    server.answer = (_request, response) => json(response, { error: "Task 999 not found" }, 404);
    const { client, reasons } = watch();
    expect(await client.find("/tasks/999/")).toBeUndefined();
    expect(reasons).toEqual([]);
    await expect(client.get("/tasks/999/")).rejects.toThrow(FetchError);
    expect(reasons).toEqual([expect.stringContaining("status 404")]);
  });

  const failing: readonly (readonly [string, (client: AlarmClient) => Promise<unknown>])[] = [
    ["get", (client) => client.get("/x/")],
    ["find", (client) => client.find("/x/")],
    ["pages", (client) => collect(client.pages("/x/"))],
    ["get with a path outside of the base", (client) => client.get("../../x/")],
  ];
  test.each(failing)(
    "an error is recorded even when the module catches it: %s",
    async (_how, ask) => {
      server.answer = (_request, response) => json(response, { error: "no" }, 400);
      const { client, reasons } = watch({ main: makeSource({ baseUrl: `${server.url}/prod` }) });
      const error: unknown = await ask(client).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(FetchError);
      expect(reasons).toEqual([error instanceof Error ? error.message : "no error"]);
    },
  );

  test.each([
    ['{"items": [{"id"', 'not JSON: {"items": [{"id"'],
    ['{"id": 1e999}', "the number 1e999 is too large to be represented"],
  ])("a body that cannot be parsed as it is, is a failed request: %s", async (body, reason) => {
    server.answer = (_request, response) => response.end(body);
    const { client, reasons } = watch();
    await expect(client.get("/x/", { a: "b c" })).rejects.toThrow(FetchError);
    await expect(client.find("/y/")).rejects.toThrow(FetchError);
    expect(reasons).toEqual([
      `GET /x/?a=b+c from main: status 200, but ${reason}`,
      `GET /y/ from main: status 200, but ${reason}`,
    ]);
  });

  test.each<[how: string, call: string, args: readonly unknown[], says: string]>([
    [
      "a mistyped style",
      "pages",
      ["/x/", {}, { style: "links" }],
      'the paging is {"style":"links"}',
    ],
    ["no style", "pages", ["/x/", {}, { list: "jobs" }], "the paging is"],
    ["a query that would be lost", "pages", ["/x/", new URLSearchParams("a=1")], "the query is"],
    ["a query as a text", "get", ["/x/", "days=1"], 'the query is "days=1"'],
    ["a list in the query", "find", ["/x/", { ids: [1] }], "ids in the query is [1]"],
    ["a path that is not there", "find", [undefined], "the path is undefined"],
    ["null as the paging", "pages", ["/x/", {}, null], "the paging is null"],
  ])(
    "a wrong call is an error that is recorded, and no request: %s",
    async (_how, call, args, says) => {
      const { client, reasons } = watch();
      const method: unknown = Reflect.get(client, call);
      if (typeof method !== "function") throw new Error(`no client.${call}`);
      const returned: unknown = Reflect.apply(method, client, args);
      const ended = call === "pages" ? Reflect.apply(collect, undefined, [returned]) : returned;
      await expect(ended).rejects.toThrow(says);
      expect(reasons).toEqual([expect.stringContaining(says)]);
      expect(server.requests).toEqual([]);
    },
  );

  test("ids beyond 2^53 are read exactly, page after page, counted and requested again", async () => {
    const all = Array.from(
      { length: 6 },
      (_, index) => `${9_007_199_254_740_994n - BigInt(index)}`,
    );
    server.answer = (_request, response, url) => {
      const before = BigInt(url.searchParams.get("before_id") ?? "9999999999999999");
      const items = all.filter((id) => BigInt(id) < before).slice(0, 2);
      const isLast = items.at(-1) === all.at(-1);
      response.end(
        `{"items":[${items.map((id) => `{"id":${id}}`)}],"total_count":6,"has_more":${!isLast},"next_before_id":${isLast ? null : items.at(-1)}}`,
      );
    };
    const { client, reasons } = watch();
    const seen = await collect(client.pages("/x/"));
    expect(seen.map(({ id }) => String(id))).toEqual(all);
    expect(seen.map(({ id }) => typeof id).join(" ")).toBe(
      "string string string number number number",
    );
    expect(reasons).toEqual([]);
    expect(server.requests).toHaveLength(3);
  });

  test("each alarm records an error that it shares with another", async () => {
    server.answer = (_request, response) => json(response, {}, 400);
    const main = makeSource({ baseUrl: server.url });
    const alarms = [watch({ main }), watch({ main })];
    await Promise.all(alarms.map(({ client }) => client.get("/x/").catch(() => {})));
    for (const { reasons } of alarms) expect(reasons).toHaveLength(1);
    expect(server.requests).toHaveLength(1);
  });
});

describe("pages", () => {
  test("PanDA's list is read to its end in pages of 200, in order", async () => {
    serveTasks(450);
    const { client, reasons } = watch();
    const items = await collect(client.pages("/api/panda/tasks/", { status: "running" }));
    expect(items.map(({ jeditaskid }) => jeditaskid)).toEqual(
      Array.from({ length: 450 }, (_, index) => 450 - index),
    );
    expect(server.requests).toEqual([
      "/api/panda/tasks/?limit=200&status=running",
      "/api/panda/tasks/?before_id=251&limit=200&status=running",
      "/api/panda/tasks/?before_id=51&limit=200&status=running",
    ]);
    expect(reasons).toEqual([]);
  });

  test("an empty list is a list", async () => {
    serveTasks(0);
    const { client, reasons } = watch();
    expect(await collect(client.pages("/x/"))).toEqual([]);
    expect(reasons).toEqual([]);
  });

  test("a module that stops early causes at most one further request", async () => {
    serveTasks(1_000);
    const main = makeSource({ baseUrl: server.url, maxConnections: 1 });
    const { client, reasons } = watch({ main });
    for await (const { jeditaskid } of client.pages("/x/")) if (jeditaskid === 900) break;
    // One connection: earlier requests have their responses before this one.
    await main.request({ path: "/last/", query: {} });
    expect(server.requests).toEqual(["/x/?limit=200", "/x/?before_id=801&limit=200", "/last/"]);
    expect(reasons).toEqual([]);
  });

  test("two alarms that read the same list request it once, and neither sees what the other changed", async () => {
    serveTasks(450);
    const main = makeSource({ baseUrl: server.url });
    const [one, two] = [watch({ main }), watch({ main })];
    const change = async ({ client }: Watched): Promise<number> => {
      let sum = 0;
      for await (const item of client.pages("/x/")) {
        sum += Number(item.jeditaskid);
        item.jeditaskid = -1;
      }
      return sum;
    };
    const sums = [
      ...(await Promise.all([change(one), change(two)])),
      await change(watch({ main })),
    ];
    expect(sums).toEqual([101_475, 101_475, 101_475]);
    expect(server.requests).toHaveLength(3);
  });

  const broken: readonly (readonly [string, (url: URL, page: object) => unknown, string])[] = [
    [
      "has no list",
      () => ({ error: "boom" }),
      'page 2: the response has no list "items" (it has: error)',
    ],
    ["has no cursor", (_, page) => ({ ...page, next_before_id: null }), "next_before_id is null"],
    ["repeats its cursor", (_, page) => ({ ...page, next_before_id: 251 }), "it must decrease"],
    [
      "has an item that is not an object",
      (_, page) => ({ ...page, items: [{}, 5] }),
      "items[1] is 5",
    ],
    ["is null", () => null, "the response is null"],
  ];
  test.each(broken)(
    "a second page that %s: the first page is returned, then it fails",
    async (_how, change, reason) => {
      serveTasks(450, (url, page) =>
        url.searchParams.has("before_id") ? change(url, page) : page,
      );
      const { client, reasons } = watch();
      const seen: unknown[] = [];
      const reading = (async () => {
        for await (const item of client.pages("/x/")) seen.push(item);
      })();
      await expect(reading).rejects.toThrow(FetchError);
      expect(seen).toHaveLength(200);
      expect(reasons).toEqual([expect.stringContaining(reason)]);
      expect(reasons[0]).toMatch(/^GET \/x\/ from main: page 2: /);
    },
  );

  test("a second page whose request fails is an error of the list", async () => {
    serveTasks(450);
    const whole = server.answer;
    server.answer = (request, response, url) => {
      if (url.searchParams.has("before_id")) json(response, {}, 403);
      else whole(request, response, url);
    };
    const { client, reasons } = watch();
    await expect(collect(client.pages("/x/"))).rejects.toThrow("status 403");
    expect(reasons).toEqual([expect.stringContaining("status 403")]);
  });

  test("GraceDB's links are followed by their query only, whatever host they name", async () => {
    const other = await startServer((_request, response) => json(response, { stolen: true }));
    server.answer = (_request, response, url) => {
      const start = Number(url.searchParams.get("start") ?? 0);
      const next = start < 60 ? `${other.url}/elsewhere/?query=ADVREQ&start=${start + 30}` : null;
      json(response, { superevents: [{ start }], links: { next } });
    };
    const { client, reasons } = watch({
      main: makeSource({ baseUrl: `${server.url}/api`, authorization: "Bearer secret" }),
    });
    const items = await collect(client.pages("/superevents/", { query: "ADVREQ" }, LINKS));
    expect(items).toEqual([{ start: 0 }, { start: 30 }, { start: 60 }]);
    expect(server.requests).toEqual([
      "/api/superevents/?query=ADVREQ",
      "/api/superevents/?query=ADVREQ&start=30",
      "/api/superevents/?query=ADVREQ&start=60",
    ]);
    expect(other.requests).toEqual([]);
    expect(reasons).toEqual([]);
    await other.close();
  });

  test.each([
    ["no query", "/x/"],
    ["an empty link", ""],
    ["the same query in another order and encoding", "?count=30&query=label:%20ADVREQ"],
  ])("a page that continues with itself is a pagination loop: %s", async (_sentence, next) => {
    server.answer = (_request, response) => json(response, { superevents: [{}], links: { next } });
    const { client, reasons } = watch();
    const query = { query: "label: ADVREQ", count: 30 };
    await expect(collect(client.pages("/x/", query, LINKS))).rejects.toThrow(FetchError);
    expect(reasons).toEqual([
      expect.stringContaining("page 1: pagination loop: the next page, ?count=30"),
    ]);
    expect(server.requests).toHaveLength(1);
  });

  test("links that lead in a circle are an error, not a list without end", async () => {
    server.answer = (_request, response, url) => {
      const next = url.searchParams.get("at") === "b" ? "?at=a" : "?at=b";
      json(response, { superevents: [{}], links: { next } });
    };
    const { client, reasons } = watch();
    await expect(collect(client.pages("/x/", { at: "a" }, LINKS))).rejects.toThrow(
      "pagination loop",
    );
    expect(reasons).toEqual([
      "GET /x/ from main: page 2: pagination loop: the next page, ?at=a, was already read",
    ]);
    expect(server.requests).toHaveLength(2);
  });

  test("a list without end is given up after 5,000 pages", async () => {
    server.answer = (_request, response, url) => {
      const start = Number(url.searchParams.get("start") ?? 0);
      json(response, { superevents: [{ start }], links: { next: `?start=${start + 1}` } });
    };
    const { client, reasons } = watch();
    let seen = 0;
    const reading = (async () => {
      for await (const _item of client.pages("/x/", {}, LINKS)) seen++;
    })();
    await expect(reading).rejects.toThrow("more than 5000 pages");
    expect(seen).toBe(5_000);
    expect(reasons).toHaveLength(1);
  });
});

describe("the page ahead", () => {
  test("any list, whenever its responses arrive: the same items, and an error where it is reached", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        listedPages,
        fc.nat(12),
        fc.constantFrom("breaks", "throws"),
        async (scheduler, list, take, stop) => {
          const asked: number[] = [];
          const ahead: number[] = [];
          const main: Requester = {
            kind: "http",
            request: async ({ path, query, ahead: isAhead }) => {
              const place = placeOf(list, new URLSearchParams(queryText(query)));
              asked.push(place);
              if (isAhead) ahead.push(place);
              await scheduler.schedule(Promise.resolve());
              const answer = answerAt(list, place);
              if (answer === undefined)
                throw new FetchError({ kind: "status", reason: `GET ${path}: status 403` });
              return { ...jsonResponse(answer), headers: headersAt(list, place) };
            },
          };
          const { client, reasons } = watch({ main });
          const items: unknown[] = [];
          /** At each item, how many pages beyond its own have been requested. */
          const lead: number[] = [];
          const detect = async (): Promise<void> => {
            if (take === 0) return;
            const { query, paging } = questionFor(list);
            for await (const { id } of client.pages("/list/", query, paging)) {
              items.push(id);
              lead.push(asked.length - Number.parseInt(String(id), 10) - 1);
              if (items.length === take && stop === "breaks") return;
              if (items.length === take) throw new Error("the module has seen enough");
              await scheduler.schedule(Promise.resolve());
            }
          };
          const thrown = await scheduler.waitFor(detect().catch(errorText));
          await scheduler.waitIdle();

          const seen = seenOf(list, take);
          expect(items).toEqual(seen.items);
          const last = list.pages.length - 1;
          expect(lead).toEqual(seen.items.map((id) => (Number.parseInt(id, 10) < last ? 1 : 0)));
          expect(reasons).toEqual(seen.fails ? [thrown] : []);
          const pages = Array.from({ length: seen.pages + (seen.more ? 1 : 0) }, (_, at) => at);
          // The first page is not requested ahead; one that fails ahead is requested again.
          expect(ahead).toEqual(pages.slice(1));
          const again = seen.fails && last > 0 && asked.length > pages.length ? [asked.at(-1)] : [];
          expect(asked).toEqual([...pages, ...again]);
        },
      ),
    );
  });
});

describe("sources", () => {
  test("the client of another configured service has the same time, signal and record", async () => {
    const other = await startServer((_request, response) => json(response, {}, 400));
    const { client, reasons, logged } = watch({
      main: makeSource({ baseUrl: server.url }),
      gracedb: makeSource({ name: "gracedb", baseUrl: other.url }),
    });
    const gracedb = client.source("gracedb");
    expect(gracedb.now).toBe(client.now);
    expect(gracedb.signal).toBe(client.signal);
    gracedb.log("from there");
    await expect(gracedb.get("/x/")).rejects.toThrow("GET /x/ from gracedb: status 400");
    await client.get("/y/");
    await gracedb.source("main").get("/z/");
    expect(other.requests).toEqual(["/x/"]);
    expect(server.requests).toEqual(["/y/", "/z/"]);
    expect(reasons).toEqual([expect.stringContaining("from gracedb")]);
    expect(logged).toEqual(["from there"]);
    await other.close();
  });

  test.each(["nowhere", "", "__proto__", "constructor"])(
    "one that is not configured is an error with the setting to add: %j",
    (name) => {
      const { client, reasons } = watch();
      expect(() => client.source(name)).toThrow(`[sources.${name}]`);
      expect(reasons).toEqual([expect.stringContaining("is not configured")]);
    },
  );

  test.each([
    ["grcedb", "(did you mean gracedb?)"],
    ["panda", "(known: main, gracedb)"],
  ])("it names the source that was probably meant, or all: %s", (name, says) => {
    const main = makeSource({ baseUrl: server.url });
    expect(() => watch({ main, gracedb: main }).client.source(name)).toThrow(says);
  });

  test("without a main service, a request is an error with the setting to add", async () => {
    const { client, reasons } = watch({});
    for (const ask of [
      () => client.get("/x/"),
      () => client.find("/x/"),
      () => collect(client.pages("/x/")),
    ])
      await expect(ask()).rejects.toThrow("set [engine] base_url");
    expect(reasons).toHaveLength(3);
    expect(() => client.source("main")).toThrow("set [engine] base_url");
  });
});

describe("when the alarm's time is up", () => {
  const LATE = new Error("the alarm's 60 s are over");

  test("a running request fails with the reason, and others that share it still get the response", async () => {
    const alarm = new AbortController();
    const main = makeSource({ baseUrl: server.url });
    const [late, patient] = [watch({ main }, alarm.signal), watch({ main })];
    server.answer = (_request, response) => {
      alarm.abort(LATE);
      setImmediate(() => json(response, { ok: true }));
    };
    const answers = [late.client.get("/x/"), patient.client.get("/x/")] as const;
    await expect(answers[0]).rejects.toBe(LATE);
    expect(await answers[1]).toEqual({ ok: true });
    expect(late.reasons).toEqual([LATE.message]);
    expect(patient.reasons).toEqual([]);
    expect(server.requests).toHaveLength(1);
  });

  test("a list ends between two pages", async () => {
    serveTasks(1_000);
    const alarm = new AbortController();
    const { client, reasons } = watch(undefined, alarm.signal);
    let seen = 0;
    const reading = (async () => {
      for await (const _item of client.pages("/x/")) if (++seen === 200) alarm.abort(LATE);
    })();
    await expect(reading).rejects.toBe(LATE);
    expect(seen).toBe(200);
    expect(reasons).toEqual([LATE.message]);
  });

  test("a module that makes requests after its time gets errors and cannot end the process", async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", listen);
    server.answer = (_request, response) => json(response, {}, 400);
    const main = makeSource({ baseUrl: server.url });
    const { client } = watch({ main }, AbortSignal.abort(LATE));
    await expect(client.get("/x/")).rejects.toBe(LATE);
    await expect(client.get("../x/")).rejects.toThrow();
    // The request may have been sent all the same; its error comes before this one's.
    await main.request({ path: "/x/", query: {} }).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", listen);
    expect(unhandled).toEqual([]);
  });
});
