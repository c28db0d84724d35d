import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import type { Paging } from "../../../src/source/client/paging.ts";
import { MAX_CACHED, ResponseCache } from "../../../src/source/http/response_cache.ts";
import type { Query } from "../../../src/source/query.ts";
import type { ResponseHeaders } from "../../../src/source/requester.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../../src/text/json.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";

const LINKS: Paging = { style: "links.next", list: "superevents" };

interface Reading {
  /** What the module got. */
  readonly items: readonly JsonObject[];
  readonly reasons: readonly string[];
  /** Requests that were sent. */
  readonly sent: number;
}

/** How a service answers; `sent` counts the earlier requests that reached it. */
type Service = (query: Query, sent: number) => JsonObject;

/** The same, of a service whose response is a list, or has headers. */
type WholeService = (query: Query, sent: number) => { value: JsonValue; headers: ResponseHeaders };

/** Reads a list as a module does that stops after so many items, through the cache of a tick. */
async function read(service: Service, options: ReadOptions = {}): Promise<Reading> {
  return readWhole((query, sent) => ({ value: service(query, sent), headers: {} }), options);
}

interface ReadOptions {
  readonly query?: Query;
  readonly paging?: Paging;
  readonly take?: number;
  readonly cache?: ResponseCache;
}

async function readWhole(
  service: WholeService,
  {
    query = {},
    paging = { style: "keyset" },
    take = Number.POSITIVE_INFINITY,
    cache = new ResponseCache({ left: MAX_CACHED }),
  }: ReadOptions = {},
): Promise<Reading> {
  let sent = 0;
  const reasons: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([
      [
        "main",
        {
          kind: "http" as const,
          request: async ({ path, query: asked, ahead = false, fresh = false }) => {
            const send = async () => {
              const { value, headers } = service(asked, sent++);
              return { ok: true, body: Buffer.from(JSON.stringify(value)), headers } as const;
            };
            const result = await cache.get(path + JSON.stringify(asked), send, ahead, fresh);
            if (!result.ok) throw new Error(result.reason);
            return { status: 200, body: result.body, headers: result.headers };
          },
        },
      ],
    ]),
    now: 0,
    onIncomplete: (reason) => void reasons.push(reason),
  });
  const items: JsonObject[] = [];
  try {
    for await (const item of client.pages("/list/", query, paging)) {
      items.push(item);
      if (items.length === take) break;
    }
  } catch {
    // It is among the reasons.
  }
  return { items, reasons, sent };
}

const idsOf = (items: readonly JsonObject[]): number[] => items.map(({ id }) => Number(id));
const downFrom = (count: number): number[] => Array.from({ length: count }, (_, at) => count - at);

/** PanDA's paging over the ids in the order in which they are given. */
function panda(ids: readonly number[], size: number, total = ids.length): Service {
  return ({ before_id: before }) => {
    const rest = ids.filter((id) => !before || id < Number(before));
    const items = rest.slice(0, size).map((id) => ({ id, state: "bad" }));
    const more = rest.length > size;
    return {
      items,
      total_count: total,
      has_more: more,
      next_before_id: more ? (items.at(-1)?.id ?? null) : null,
    };
  };
}

/** GraceDB's paging, by offset. */
function graceDb(rows: readonly JsonObject[], size: number, total = rows.length): Service {
  return ({ start }) => {
    const from = Number(start ?? 0);
    const next = from + size < rows.length ? `/api/superevents/?start=${from + size}` : null;
    return { superevents: rows.slice(from, from + size), numRows: total, links: { next } };
  };
}

const pageSize = fc.integer({ min: 1, max: 8 });

describe("the order of a keyset list", () => {
  test("any list in strictly decreasing order, in pages of any size: every item once, one reading", async () => {
    const list = fc.uniqueArray(fc.integer({ min: 1, max: 1_000 }), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(list, pageSize, async (numbers, size) => {
        const ids = numbers.toSorted((a, b) => b - a);
        const { items, reasons, sent } = await read(panda(ids, size));
        expect(reasons).toEqual([]);
        expect(idsOf(items)).toEqual(ids);
        expect(sent).toBe(Math.max(1, Math.ceil(ids.length / size)));
      }),
    );
  });

  test("a list of several pages fails unless it strictly decreases from its first item to its last", async () => {
    const list = fc.array(fc.integer({ min: -5, max: 12 }), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(list, fc.nat(10), fc.boolean(), async (numbers, cut, isSorted) => {
        const ids = isSorted ? numbers.toSorted((a, b) => b - a) : numbers;
        const size = 1 + (cut % (ids.length - 1));
        let place = 0;
        // Whatever is asked for, the next items.
        const service: Service = () => {
          const items = ids.slice(place, place + size).map((id) => ({ id }));
          place += size;
          const more = place < ids.length;
          return {
            items,
            has_more: more,
            next_before_id: more ? (items.at(-1)?.id ?? null) : null,
          };
        };
        const { reasons, items } = await read(service);
        const decreases = ids.every((id, at) => at === 0 || id < (ids[at - 1] ?? 0));
        if (decreases) expect(idsOf(items)).toEqual(ids);
        expect(reasons.length).toBe(decreases ? 0 : 1);
      }),
    );
  });

  test("a list in any order, with an honest count: all of it, or a reason", async () => {
    const list = fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(list, pageSize, async (ids, size) => {
        const { items, reasons } = await read(panda(ids, size));
        if (reasons.length === 0) expect(new Set(idsOf(items))).toEqual(new Set(ids));
        else expect(reasons).toHaveLength(1);
      }),
    );
  });
});

describe("a list that is shorter than its own count", () => {
  const services: readonly [style: string, Paging, (ids: number[], total: number) => Service][] = [
    ["PanDA, one page", { style: "keyset" }, (ids, total) => panda(ids, 1_000, total)],
    ["PanDA, several pages", { style: "keyset" }, (ids, total) => panda(ids, 50, total)],
    [
      "GraceDB, one page",
      LINKS,
      (ids, total) =>
        graceDb(
          ids.map((id) => ({ id })),
          1_000,
          total,
        ),
    ],
    [
      "GraceDB, several pages",
      LINKS,
      (ids, total) =>
        graceDb(
          ids.map((id) => ({ id })),
          50,
          total,
        ),
    ],
  ];

  describe.each(services)("%s", (_style, paging, serve) => {
    const part = downFrom(300).filter((id) => id % 3 > 0);
    const short = serve(part, 300);
    const whole = serve(downFrom(300), 300);

    test("is read twice, and incomplete if it is still short", async () => {
      const { items, reasons, sent } = await read(short, { paging });
      expect(idsOf(items)).toEqual(part);
      const field = paging.style === "keyset" ? "total_count" : "numRows";
      expect(reasons).toEqual([
        `GET /list/ from main: read twice, the list ended after 200 items, but no page counted fewer than 300 (${field}); check the service`,
      ]);
      expect(sent % 2).toBe(0);
    });

    test("is complete if the second reading has all: each item comes once", async () => {
      const { sent: once } = await read(whole, { paging });
      const half = (await read(short, { paging })).sent / 2;
      const service: Service = (query, sent) => (sent < half ? short : whole)(query, sent);
      const { items, reasons, sent } = await read(service, { paging });
      expect(reasons).toEqual([]);
      expect(idsOf(items).toSorted((a, b) => b - a)).toEqual(downFrom(300));
      expect(sent).toBe(half + once);
    });

    test("is not judged by a module that stops early", async () => {
      const { reasons, sent } = await read(short, { paging, take: 200 });
      expect(reasons).toEqual([]);
      expect(sent).toBe((await read(short, { paging })).sent / 2);
    });

    test("is read twice for three alarms: they share both readings", async () => {
      const cache = new ResponseCache({ left: MAX_CACHED });
      const alarms = [
        await read(short, { paging, cache }),
        await read(short, { paging, cache }),
        await read(short, { paging, cache }),
      ];
      for (const { items, reasons } of alarms) {
        expect(idsOf(items)).toEqual(part);
        expect(reasons).toHaveLength(1);
      }
      expect(alarms.slice(1).map(({ sent }) => sent)).toEqual([0, 0]);
    });
  });

  test.each([
    ["PanDA", { style: "keyset" } as const, { before_id: 100 }],
    ["PanDA, as a text", { style: "keyset" } as const, { before_id: "100" }],
    ["GraceDB", LINKS, { start: 200 }],
  ])(
    "the count does not fit a list that the module begins later: %s",
    async (_name, paging, query) => {
      const rows = downFrom(300).map((id) => ({ id }));
      const service = paging.style === "keyset" ? panda(downFrom(300), 50) : graceDb(rows, 50);
      const { items, reasons, sent } = await read(service, { paging, query });
      expect(reasons).toEqual([]);
      expect(items).toHaveLength(paging.style === "keyset" ? 99 : 100);
      expect(sent).toBe(2);
    },
  );

  test("a page that repeats items of the page before does not make up for others", async () => {
    const rows = downFrom(300).map((id) => ({ id }));
    const repeated = [...rows.slice(0, 200), ...rows.slice(100, 200)];
    const { reasons } = await read(graceDb(repeated, 200), { paging: LINKS });
    expect(reasons).toEqual([expect.stringContaining("ended after 200 items")]);
  });

  test.each([
    ["lower on a later page", [300, 250], 250],
    ["higher on a later page", [250, 300], 250],
    ["on the first page only", [250, undefined], 250],
    ["on the last page only", [undefined, 250], 250],
    ["zero", [0, 300], 10],
    ["null", [null, null], 10],
    ["digits", ["300", "300"], 300],
    ["a text", ["many", "many"], 10],
  ])("the lowest count is what must be reached: %s", async (_sentence, counts, needed) => {
    const total = (sent: number, list: JsonObject): JsonObject => {
      const { total_count: _, ...rest } = list;
      const count = counts[sent % 2];
      return count === undefined ? rest : { ...rest, total_count: count };
    };
    const run = (count: number) => {
      const list = panda(downFrom(count), Math.ceil(count / 2));
      return read((query, sent) => total(sent, list(query, sent)));
    };
    expect((await run(needed)).reasons).toEqual([]);
    if (needed > 10) expect((await run(needed - 1)).reasons).toHaveLength(1);
  });

  test("without a known id, an item that has changed since comes again", async () => {
    const service: Service = (_query, sent) => ({
      items: [
        { id: 3, state: sent === 0 ? "bad" : "worse" },
        { id: 2, state: "bad" },
        ...(sent === 0 ? [] : [{ id: 1, state: "bad" }]),
      ],
      total_count: 3,
      has_more: false,
    });
    const { items, reasons } = await read(service);
    expect(reasons).toEqual([]);
    expect(idsOf(items)).toEqual([3, 2, 3, 1]);
  });

  test("with a known id, an item comes once even if it has changed", async () => {
    const ids = downFrom(10);
    const service: Service = (query, sent) => {
      const list = panda(sent < 2 ? ids.filter((id) => id !== 4) : ids, 5, 10)(query, sent);
      const items = Array.isArray(list.items) ? list.items.filter(isJsonObject) : [];
      return { ...list, items: items.map((item) => ({ ...item, counted: sent })) };
    };
    const { items, reasons } = await read(service);
    expect(reasons).toEqual([]);
    expect(idsOf(items)).toEqual([10, 9, 8, 7, 6, 5, 3, 2, 1, 4]);
  });

  test("a second reading that fails is a failed request", async () => {
    const service: Service = (query, sent) =>
      sent === 0 ? panda(downFrom(2), 5, 3)(query, sent) : { error: "boom" };
    expect((await read(service)).reasons).toEqual([
      'GET /list/ from main: page 1: the response has no list "items" (it has: error); name it with list:, or use client.get',
    ]);
  });
});

describe("a busy list", () => {
  test("entities that come and go between pages are normal: one reading", async () => {
    const step = fc.record({ come: fc.nat(5), goBefore: fc.nat(3), goAfter: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 20 }),
        fc.boolean(),
        async (steps, isGrowing) => {
          let ids = downFrom(40);
          const asked = new Set<unknown>();
          const service: Service = (query, sent) => {
            const { come, goBefore, goAfter } = steps[sent] ?? { come: 0, goBefore: 0, goAfter: 0 };
            const before = Number(query.before_id ?? Number.POSITIVE_INFINITY);
            asked.add(query.before_id);
            if (sent > 0 && isGrowing)
              ids = [...Array.from({ length: come }, (_, at) => 1_000 * sent + 9 - at), ...ids];
            else if (sent > 0)
              ids = [
                ...ids.filter((id) => id >= before).slice(goBefore),
                ...ids.filter((id) => id < before).slice(goAfter),
              ];
            return panda(ids, 5)(query, sent);
          };
          const { reasons, sent } = await read(service);
          expect(reasons).toEqual([]);
          // Each page was requested once.
          expect(sent).toBe(asked.size);
        },
      ),
    );
  });

  test("a second reading that is whole makes up for an entity that was lost between two pages", async () => {
    let ids = downFrom(10);
    const service: Service = (query, sent) => {
      // One is new, and one that was not read yet goes: the count stays.
      if (sent === 1) ids = [11, ...ids.filter((id) => id !== 2)];
      return panda(ids, 5)(query, sent);
    };
    const { items, reasons, sent } = await read(service);
    expect(reasons).toEqual([]);
    expect(idsOf(items)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 1, 11]);
    expect(sent).toBe(4);
  });
});

/** A service of each style over rows in any order, with a page size, and a count unless it is undefined. */
const EVERY_STYLE: readonly [
  style: string,
  Paging,
  answer: (rows: readonly JsonObject[], size: number, count: number | undefined) => WholeService,
][] = [
  ["keyset", { style: "keyset" }, (rows, size, count) => plain(panda(idsOf(rows), size, count))],
  ["links.next", LINKS, (rows, size, count) => plain(graceDb([...rows], size, count ?? undefined))],
  [
    "page",
    { style: "page", list: "rows" },
    (rows, size, count) => placed((query) => (Number(query.page) - 1) * size, rows, size, count),
  ],
  [
    "page with a total",
    { style: "page", list: "rows", total: "total" },
    (rows, size, count = rows.length) =>
      placed((query) => (Number(query.page) - 1) * size, rows, size, count),
  ],
  [
    "offset",
    { style: "offset", list: "rows" },
    (rows, size, count) => placed((query) => Number(query.offset), rows, size, count),
  ],
  [
    "offset with a total",
    { style: "offset", list: "rows", total: "total" },
    (rows, size, count = rows.length) => placed((query) => Number(query.offset), rows, size, count),
  ],
  [
    "link",
    { style: "link" },
    (rows, size, count) => (query) => {
      const at = Number(query.at ?? 0);
      const next = at + size < rows.length ? { link: `<?at=${at + size}>; rel="next"` } : {};
      const headers = { ...next, ...(count === undefined ? {} : { total: `${count}` }) };
      return { value: rows.slice(at, at + size), headers };
    },
  ],
  [
    "next",
    { style: "next" },
    (rows, size, count) => (query) => {
      const at = Number(query.at ?? 0);
      const next = at + size < rows.length ? `http://x.example/list/?at=${at + size}` : null;
      const counted = count === undefined ? {} : { count };
      const results = rows.slice(at, at + size);
      return { value: { next, previous: null, results, ...counted }, headers: {} };
    },
  ],
];

const plain =
  (service: Service): WholeService =>
  (query, sent) => ({ value: service(query, sent), headers: {} });

const placed =
  (
    from: (query: Query) => number,
    rows: readonly JsonObject[],
    size: number,
    total: number | undefined,
  ): WholeService =>
  (query) => {
    const at = from(query);
    const counted = total === undefined ? {} : { total };
    return { value: { rows: rows.slice(at, at + size), ...counted }, headers: {} };
  };

describe.each(EVERY_STYLE)("every style of paging: %s", (_style, paging, serve) => {
  const wholeList = fc.integer({ min: 0, max: 30 }).map(downFrom);
  // The others do not tell equal items of one page apart.
  const hasIds = paging.style !== "keyset" && paging.style !== "links.next";
  const rowsOf = (ids: readonly number[]) => ids.map((id) => ({ id, state: "bad" }));

  test("any list in pages of any size: every item once, and one reading", async () => {
    await fc.assert(
      fc.asyncProperty(wholeList, pageSize, fc.boolean(), async (ids, size, isCounted) => {
        const service = serve(rowsOf(ids), size, isCounted ? ids.length : undefined);
        const { items, reasons, sent } = await readWhole(service, { paging });
        expect(reasons).toEqual([]);
        expect(idsOf(items)).toEqual(ids);
        expect(sent).toBeLessThanOrEqual(Math.ceil(ids.length / size) + 1);
      }),
    );
  });

  test("a service that leaves out and repeats items: what counts as complete is complete", async () => {
    // For each row: it is as it should be, it is not listed, or the row before comes again in its place.
    const fault = fc.constantFrom("none", "none", "missing", "repeated");
    const faults = fc.array(fault, { minLength: 30, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(wholeList, pageSize, faults, faults, async (ids, size, first, second) => {
        const listed = (kinds: readonly string[]) =>
          rowsOf(
            ids.flatMap((id, at) => {
              if (kinds[at] === "missing") return [];
              return kinds[at] === "repeated" && hasIds ? (ids[at - 1] ?? id) : id;
            }),
          );
        const readings = [first, second].map((kinds) => serve(listed(kinds), size, ids.length));
        const asked = new Set<string>();
        const service: WholeService = (query, sent) => {
          // A page that is requested again belongs to the second reading.
          const isSecond = asked.has(JSON.stringify(query));
          asked.add(JSON.stringify(query));
          const reading = readings[isSecond ? 1 : 0];
          if (reading === undefined) throw new Error("no such reading");
          return reading(query, sent);
        };
        const { items, reasons } = await readWhole(service, { paging });
        if (reasons.length === 0) expect(new Set(idsOf(items))).toEqual(new Set(ids));
        else expect(reasons).toHaveLength(1);
      }),
    );
  });

  test("a list that is shorter than its count is read twice, and incomplete if it is still short", async () => {
    const part = downFrom(30).filter((id) => id % 3 > 0);
    const { items, reasons } = await readWhole(serve(rowsOf(part), 8, 30), { paging });
    expect(idsOf(items)).toEqual(part);
    expect(reasons).toEqual([
      expect.stringMatching(/read twice, the list ended after 20 items, but .* 30 \(.*\); check/),
    ]);
  });

  test("without an id, items are told apart by what is in them", async () => {
    if (paging.style === "keyset") return;
    const rows = downFrom(10).map((name) => ({ name }));
    const { items, reasons } = await readWhole(serve(rows, 4, 10), { paging });
    expect(items).toEqual(rows);
    expect(reasons).toEqual([]);
  });
});

describe("a list whose pages are found by their place", () => {
  const paging = { style: "page", list: "rows" } as const;
  const byPage = (query: Query) => (Number(query.page) - 1) * 5;
  const row = (id: number, state: string) => ({ id, state });

  test("an item that goes while the list is read moves another one past it: the count shows it", async () => {
    const ids = downFrom(10);
    const service: WholeService = (query, sent) => {
      const rows = (sent === 0 ? ids : ids.slice(1)).map((id) => row(id, "bad"));
      return placed(byPage, rows, 5, rows.length)(query, sent);
    };
    const { items, reasons } = await readWhole(service, { paging });
    expect(reasons).toEqual([]);
    // The second reading has the 5 that was moved to the first page when the 10 went.
    expect(idsOf(items)).toEqual([10, 9, 8, 7, 6, 4, 3, 2, 1, 5]);
  });

  test("items that come while the list is read are normal: one reading", async () => {
    const service: WholeService = (query, sent) => {
      const rows = downFrom(10 + 2 * sent).map((id) => row(id, "bad"));
      return placed(byPage, rows, 5, rows.length)(query, sent);
    };
    const { items, reasons, sent } = await readWhole(service, { paging });
    expect(reasons).toEqual([]);
    expect(new Set(idsOf(items))).toEqual(new Set(downFrom(10)));
    expect(sent).toBe(5);
  });

  test("an item that changes and comes again does not stand in for another one", async () => {
    const service: WholeService = (query, sent) => {
      const listed = sent < 3 ? [10, 9, 8, 7, 6, 6, 4, 3, 2, 1] : downFrom(10);
      const rows = listed.map((id) => row(id, `seen ${sent} times`));
      return placed(byPage, rows, 5, 10)(query, sent);
    };
    const { items, reasons } = await readWhole(service, { paging });
    expect(reasons).toEqual([]);
    expect(idsOf(items)).toEqual([10, 9, 8, 7, 6, 6, 4, 3, 2, 1, 5]);
  });

  test("a service that does not know the parameter is an error, not an endless list", async () => {
    const service: WholeService = () => ({ value: [{ id: 1 }], headers: {} });
    const { reasons, sent } = await readWhole(service, { paging: { style: "page" } });
    expect(reasons).toEqual([
      "GET /list/ from main: page 2: the page has the same items as the page before, but is not the last one; check that ?page is its parameter, name what says that a page is the last one (total, pages or more), or use client.get if it does not page",
    ]);
    expect(sent).toBe(2);
  });

  test.each<[sentence: string, Paging, reason: RegExp]>([
    ["page", { style: "page", list: "rows", more: "more" }, /page 2: the page has the same items/],
    ["offset", { style: "offset", list: "rows", more: "more" }, /page 1: pagination loop/],
  ])("so is one that goes on without items: %s", async (_sentence, paging, reason) => {
    const value = { rows: [], more: true };
    const { reasons } = await readWhole(() => ({ value, headers: {} }), { paging });
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  test("the count does not fit a list that the module begins later", async () => {
    const rows = downFrom(20).map((id) => row(id, "bad"));
    const service = placed(byPage, rows, 5, 20);
    const { items, reasons } = await readWhole(service, { paging, query: { page: 3 } });
    expect(reasons).toEqual([]);
    expect(items).toHaveLength(10);
  });
});
