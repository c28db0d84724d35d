import { describe, expect, onTestFinished, test } from "vitest";
import { makeClient } from "../../../src/source/client/alarm_client.ts";
import { findLink } from "../../../src/source/client/paging/link_header.ts";
import {
  firstQuery,
  KEYSET,
  type Paging,
  parsePage,
  requestFault,
} from "../../../src/source/client/paging.ts";
import { BodyError } from "../../../src/source/fetch_error.ts";
import type { Query } from "../../../src/source/query.ts";
import type { ResponseHeaders } from "../../../src/source/requester.ts";
import type { JsonValue } from "../../../src/text/json.ts";
import { CLIENT_FACTS } from "../../support/client_facts.ts";
import { json, startServer } from "../../support/http_server.ts";
import { closeSources, makeSource } from "../../support/sources.ts";

/** One page, as the client reads it after so many items. */
function read(
  value: JsonValue,
  paging: Paging,
  {
    query = {},
    headers = {},
    path = "/api/jobs/",
    received = 0,
  }: { query?: Query; headers?: ResponseHeaders; path?: string; received?: number } = {},
) {
  const asked = { path, query: firstQuery(query, paging), idFields: undefined, received };
  return parsePage({ value, headers }, paging, asked);
}

const rows = (...ids: readonly number[]) => ids.map((id) => ({ id }));
const PAGE: Paging = { style: "page" };
const OFFSET: Paging = { style: "offset" };
const LINK: Paging = { style: "link" };
const NEXT: Paging = { style: "next" };

describe("numbered pages and offsets", () => {
  test.each<[sentence: string, JsonValue, Paging, Query, Query | undefined]>([
    ["a page with items goes on", rows(1, 2), PAGE, {}, { page: 2 }],
    ["so does a short one: it may be the service's limit", rows(1), PAGE, { page: 3 }, { page: 4 }],
    ["an empty page is the end", [], PAGE, { page: 4 }, undefined],
    ["the first page may have the number 0", rows(1), { ...PAGE, first: 0 }, {}, { page: 1 }],
    ["the parameter may have another name", rows(1), { ...PAGE, param: "p" }, {}, { p: 2 }],
    ["the rest of the query stays", rows(1), PAGE, { per_page: 5 }, { per_page: 5, page: 2 }],
    ["the module begins later, with a text", rows(1), PAGE, { page: "3" }, { page: 4 }],
    [
      "an offset grows by the items that came",
      rows(1, 2),
      OFFSET,
      { limit: 5 },
      { limit: 5, offset: 2 },
    ],
    ["from where the module begins", rows(1, 2), OFFSET, { offset: 7 }, { offset: 9 }],
    ["under another name", rows(1), { ...OFFSET, param: "skip" }, {}, { skip: 1 }],
    ["an empty page is the end of offsets", [], OFFSET, { offset: 9 }, undefined],
    [
      "a list in an object",
      { jobs: rows(1), count: 1 },
      { ...PAGE, list: "jobs" },
      {},
      { page: 2 },
    ],
    [
      "a list deeper in it",
      { data: { jobs: rows(1) } },
      { ...PAGE, list: "data.jobs" },
      {},
      { page: 2 },
    ],
    [
      "a key with a dot in it",
      { "data.jobs": rows(1) },
      { ...PAGE, list: "data.jobs" },
      {},
      { page: 2 },
    ],
  ])("%s", (_sentence, value, paging, query, next) => {
    expect(read(value, paging, { query }).next).toEqual(next);
  });

  const jobs = { list: "jobs" } as const;
  test.each<[sentence: string, facts: { [key: string]: JsonValue }, Paging, isLast: boolean]>([
    ["more is true", { more: true }, { ...PAGE, ...jobs, more: "more" }, false],
    ["more is false", { more: false }, { ...PAGE, ...jobs, more: "more" }, true],
    ["page 2 of 3", { pages: 3 }, { ...PAGE, ...jobs, pages: "pages" }, false],
    ["page 2 of 2", { pages: 2 }, { ...PAGE, ...jobs, pages: "pages" }, true],
    [
      "page 2 of 2, counted from 0",
      { pages: 2 },
      { ...PAGE, ...jobs, first: 0, pages: "pages" },
      true,
    ],
    ["4 of 5 items", { total: 5 }, { ...PAGE, ...jobs, total: "total" }, false],
    ["4 of 4 items", { total: 4 }, { ...PAGE, ...jobs, total: "total" }, true],
    ["a total as digits", { total: "4" }, { ...PAGE, ...jobs, total: "total" }, true],
    ["a total that nobody named only checks", { total: 4 }, { ...PAGE, ...jobs }, false],
    ["offset 2 and 2 items of 5", { total: 5 }, { ...OFFSET, ...jobs, total: "total" }, false],
    ["offset 2 and 2 items of 4", { total: 4 }, { ...OFFSET, ...jobs, total: "total" }, true],
    [
      "a total deeper in it",
      { page: { total: 4 } },
      { ...OFFSET, ...jobs, total: "page.total" },
      true,
    ],
    ["offsets, more is false", { more: false }, { ...OFFSET, ...jobs, more: "more" }, true],
  ])("the end that the module names: %s", (_sentence, facts, paging, isLast) => {
    const first = paging.style === "page" ? (paging.first ?? 1) : 0;
    const query = paging.style === "page" ? { page: first + 1 } : { offset: 2 };
    const page = read({ jobs: rows(3, 4), ...facts }, paging, { query, received: 2 });
    expect(page.next === undefined).toBe(isLast);
  });

  test.each<[sentence: string, JsonValue, ResponseHeaders, Paging, number | undefined]>([
    ["total_count", { jobs: [], total_count: 7 }, {}, { ...PAGE, ...jobs }, 7],
    [
      "total, rather than the count of the page",
      { jobs: [], count: 1, total: 7 },
      {},
      { ...OFFSET, ...jobs },
      7,
    ],
    ["count", { jobs: [], count: 7 }, {}, { ...LINK, ...jobs }, 7],
    [
      "the key that the module names",
      { jobs: [], total: 7, found: 5 },
      {},
      { ...LINK, ...jobs, total: "found" },
      5,
    ],
    ["the header X-Total-Count", [], { total: "7" }, LINK, 7],
    ["the count of Django REST", { results: [], next: null, count: 7 }, {}, NEXT, 7],
    ["none", { jobs: [], total: { value: 7 } }, {}, { ...PAGE, ...jobs }, undefined],
  ])("the count of the whole list: %s", (_sentence, value, headers, paging, count) => {
    expect(read(value, paging, { headers }).count?.items).toBe(count);
  });

  test.each<[sentence: string, JsonValue, Paging, reason: string]>([
    [
      "an object, and no list named",
      { jobs: [] },
      PAGE,
      "the response is an object, not a list (it has: jobs); name its list with list:, or use client.get",
    ],
    [
      "a text",
      "Service Unavailable",
      OFFSET,
      'the response is "Service Unavailable", not a list; use client.get',
    ],
    ["an item that is not an object", [{}, 5], PAGE, "the response[1] is 5, not an object"],
    [
      "more is a number",
      { jobs: [], more: 1 },
      { ...PAGE, ...jobs, more: "more" },
      "more is 1, not true or false",
    ],
    [
      "no more",
      { jobs: [] },
      { ...OFFSET, ...jobs, more: "more" },
      "more is missing, not true or false",
    ],
    [
      "pages is null",
      { jobs: [], pages: null },
      { ...PAGE, ...jobs, pages: "pages" },
      "pages is null, not a number",
    ],
    [
      "no total",
      { jobs: [] },
      { ...PAGE, ...jobs, total: "meta.total" },
      "meta.total is missing, not a number",
    ],
  ])("an error: %s", (_sentence, value, paging, reason) => {
    expect(() => read(value, paging)).toThrow(BodyError);
    expect(() => read(value, paging)).toThrow(reason);
  });
});

test("the headers of a real response say how the list continues, and how long it is", async () => {
  const server = await startServer((_request, response, url) => {
    const page = Number(url.searchParams.get("page") ?? 1);
    if (page === 1)
      response.setHeader("link", ['</jobs>; rel="first"', '</jobs?page=2>; rel="next"']);
    response.setHeader("x-total-count", "5");
    json(response, page === 1 ? rows(1, 2) : rows(3, 4));
  });
  onTestFinished(() => server.close());
  onTestFinished(closeSources);
  const reasons: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([["main", makeSource({ baseUrl: server.url })]]),
    now: 0,
    onIncomplete: (reason) => void reasons.push(reason),
  });
  const ids: number[] = [];
  for await (const { id } of client.pages<{ id: number }>("jobs", {}, LINK)) ids.push(id);
  expect(ids).toEqual([1, 2, 3, 4]);
  expect(reasons).toEqual([
    "GET jobs from main: read twice, the list ended after 4 items, but there were 5 (X-Total-Count); check the service",
  ]);
  expect(server.requests).toEqual(["/jobs", "/jobs?page=2", "/jobs", "/jobs?page=2"]);
});

describe("next links", () => {
  const link = (target: string) => ({ link: `<${target}>; rel="next"` });
  const followed: readonly [
    sentence: string,
    target: string,
    path: string,
    next: Query | string,
  ][] = [
    [
      "a whole URL",
      "https://other.example/api/jobs/?page=2&a=b",
      "/api/jobs/",
      { page: "2", a: "b" },
    ],
    ["only a query", "?page=2", "/api/jobs/", { page: "2" }],
    ["without the trailing slash", "/api/jobs?page=2", "api/jobs/", { page: "2" }],
    ["below the base URL", "https://x.example/pandamon/api/jobs/?page=2", "/jobs/", { page: "2" }],
    ["encoded in another way", "/users/a%40b/?page=2", "/users/a@b", { page: "2" }],
    [
      "the list's own query is no part of its path",
      "/jobs/?a=1&page=2",
      "/jobs/?a=1",
      { a: "1", page: "2" },
    ],
    ["the base URL itself", "/anything/?page=2", "/", { page: "2" }],
    [
      "another list",
      "/api/tasks/?page=2",
      "/api/jobs/",
      'leads to "/api/tasks", not to the list\'s own path /api/jobs',
    ],
    [
      "a list of that name elsewhere",
      "/api/old-jobs/?page=2",
      "/jobs/",
      'leads to "/api/old-jobs"',
    ],
    ["a longer path", "/api/jobs/2/?cursor=a", "/api/jobs/", 'leads to "/api/jobs/2"'],
  ];
  describe.each<[string, (target: string, path: string) => Query | undefined]>([
    ["Django REST", (next, path) => read({ results: [], next }, NEXT, { path }).next],
    ["a Link header", (next, path) => read([], LINK, { headers: link(next), path }).next],
  ])("%s", (_style, nextOf) => {
    test.each(followed)("%s", (_sentence, target, path, next) => {
      if (typeof next === "string") expect(() => nextOf(target, path)).toThrow(next);
      else expect(nextOf(target, path)).toEqual(next);
    });
  });

  test("no link is the end", () => {
    expect(read({ results: rows(1), next: null }, NEXT).next).toBeUndefined();
    expect(read(rows(1), LINK).next).toBeUndefined();
    expect(
      read(rows(1), LINK, { headers: { link: '<?page=1>; rel="first"' } }).next,
    ).toBeUndefined();
  });

  test.each<[sentence: string, JsonValue, Paging, ResponseHeaders, boolean]>([
    ["previous", { results: [], next: null, previous: "?page=1" }, NEXT, {}, true],
    ["no previous", { results: [], next: null, previous: null }, NEXT, {}, false],
    ["rel=prev", [], LINK, { link: '<?page=1>; rel="prev"' }, true],
    ["rel=first", [], LINK, { link: '<?page=1>; rel="first"' }, false],
  ])("a list that begins later says so: %s", (_sentence, value, paging, headers, hasEarlier) => {
    expect(read(value, paging, { headers }).hasEarlier).toBe(hasEarlier);
  });

  test.each<[sentence: string, JsonValue, string]>([
    ["a number", { results: [], next: 2 }, "next is 2, not a link or null"],
    ["not a URL", { results: [], next: "http://[::bad/" }, "next is"],
    ["missing", { results: [] }, "next is missing; use client.get if it does not page"],
  ])("an error: next is %s", (_sentence, value, reason) => {
    expect(() => read(value, NEXT)).toThrow(reason);
  });
});

describe("a Link header", () => {
  test.each<[sentence: string, header: string | undefined, target: string | undefined]>([
    ["none", undefined, undefined],
    ["an empty one", "", undefined],
    ["one link", '<https://x.example/a?page=2>; rel="next"', "https://x.example/a?page=2"],
    ["several", '<?page=1>; rel="prev", <?page=3>; rel="next", <?page=9>; rel="last"', "?page=3"],
    ["a token", "<?page=3>; rel=next", "?page=3"],
    ["several relations", '<?page=3>; rel="last next"', "?page=3"],
    ["separated by a tab", '<?page=3>; rel="last\tnext"', "?page=3"],
    ["any case", '<?page=3>; REL="Next"', "?page=3"],
    ["blanks everywhere", ' , <?page=1> ; rel = "prev" , <?page=3>\t; rel = next ', "?page=3"],
    ["no blanks", '<?page=1>;rel="prev",<?page=3>;rel="next"', "?page=3"],
    ["commas and semicolons in a target", "<?ids=1,2;3&page=3>; rel=next", "?ids=1,2;3&page=3"],
    ["other parameters", '<?page=3>; title="a, b; <c>"; rel="next"; hreflang=en', "?page=3"],
    ["a parameter without a value", "<?page=3>; crossorigin; rel=next", "?page=3"],
    ["an empty parameter", "<?page=3>;; rel=next;", "?page=3"],
    ["an escaped quote", '<?page=3>; title="a \\"rel=last\\" b"; rel="next"', "?page=3"],
    ["an escaped letter", '<?page=3>; rel="ne\\xt"', "?page=3"],
    ["only the first rel counts", '<?page=3>; rel="last"; rel="next"', undefined],
    ["next in another parameter", '<?page=3>; title="next"; rel="last"', undefined],
    ["a longer word", '<?page=3>; rel="next-archive"', undefined],
    ["the same link twice", "<?page=3>; rel=next, <?page=3>; rel=next", "?page=3"],
  ])("%s", (_sentence, header, target) => {
    expect(findLink(header, "next")).toBe(target);
  });

  test.each([
    ["two next links", "<?page=3>; rel=next, <?page=4>; rel=next", "has two links with rel"],
    ["no brackets", "?page=3; rel=next", "cannot be read"],
    ["an open bracket", "<?page=3; rel=next", "cannot be read"],
    ["an open quote", '<?page=3>; rel="next', "cannot be read"],
    ["text after a value", "<?page=3>; rel=next more", "cannot be read"],
  ])(
    "an error, because a link that is overlooked would be the end: %s",
    (_sentence, header, reason) => {
      expect(() => findLink(header, "next")).toThrow(BodyError);
      expect(() => findLink(header, "next")).toThrow(reason);
    },
  );

  test.each([
    ["blanks", " ".repeat(16_384), undefined],
    ["semicolons", `<a>${" ; ".repeat(5_000)}; rel=next`, "a"],
    ["links", `${"<a>; rel=prev, ".repeat(1_000)}<b>; rel=next`, "b"],
  ])("a long one: %s", (_sentence, header, target) => {
    expect(findLink(header, "next")).toBe(target);
  });

  test.each([
    ["blanks before a letter", `<a>; a${" ".repeat(16_384)}b`],
    ["backslashes in an open quote", `<a>; a="${"\\".repeat(16_384)}`],
  ])("a long one that cannot be read: %s", (_sentence, header) => {
    expect(() => findLink(header, "next")).toThrow("cannot be read");
  });
});

describe("a list that does not page as asked: the error names the call that fits", () => {
  const linked: ResponseHeaders = { link: '<?page=2>; rel="next"' };
  const rest: JsonValue = { count: 3, next: null, previous: null, results: rows(1) };
  const laravel: JsonValue = { data: rows(1), links: { next: "?page=2" }, meta: {} };
  const panda: JsonValue = { jobs: rows(1), has_more: true, next_before_id: 1 };

  test.each<[sentence: string, Paging, JsonValue, ResponseHeaders, reason: string]>([
    [
      "a plain list",
      KEYSET,
      rows(1),
      {},
      'the response is a list, not an object with the list "items"; use client.get',
    ],
    [
      "a plain list",
      NEXT,
      rows(1),
      {},
      'the response is a list, not an object with the list "results"; use client.get',
    ],
    [
      "a list with a Link header",
      KEYSET,
      rows(1),
      linked,
      '"items"; it has a Link header with rel="next": write { style: "link" }',
    ],
    ["a list with a Link header", NEXT, rows(1), linked, 'write { style: "link" }'],
    [
      "an object with a Link header",
      KEYSET,
      { jobs: [] },
      linked,
      'write { style: "link", list: "jobs" }',
    ],
    [
      "Django REST",
      KEYSET,
      rest,
      {},
      'the response has no list "items" (it has: count, next, previous, results); it has next and results: write { style: "next" }',
    ],
    [
      "Django REST",
      { style: "links.next", list: "results" },
      rest,
      {},
      'links is missing, not an object with next; it has next and results: write { style: "next" }',
    ],
    ["Django REST", { ...PAGE, list: "results" }, rest, {}, 'write { style: "next" }'],
    ["Django REST", { ...OFFSET, list: "results" }, rest, {}, 'write { style: "next" }'],
    [
      "Django REST",
      { ...LINK, list: "results" },
      rest,
      {},
      'the response has no Link header with rel="next"; it has next and results: write { style: "next" }',
    ],
    [
      "Django REST, its list renamed",
      KEYSET,
      { jobs: [], next: null, previous: null },
      {},
      'write { style: "next", list: "jobs" }',
    ],
    ["links.next", NEXT, laravel, {}, 'write { style: "links.next", list: "data" }'],
    ["links.next", PAGE, laravel, {}, 'write { style: "links.next", list: "data" }'],
    [
      "PanDA",
      { ...NEXT, list: "jobs" },
      panda,
      {},
      'next is missing; it has next_before_id: write { style: "keyset", list: "jobs" }',
    ],
    ["PanDA, its list renamed", KEYSET, panda, {}, 'write { style: "keyset", list: "jobs" }'],
    [
      "an object that does not page",
      KEYSET,
      { items: rows(1) },
      {},
      "next_before_id is missing although the list has not ended; use client.get if it does not page",
    ],
    [
      "an object without a list",
      KEYSET,
      { next: null, results: null },
      {},
      "name it with list:, or use client.get",
    ],
  ])("%s, read as %o", (_sentence, paging, value, headers, reason) => {
    expect(() => read(value, paging, { headers })).toThrow(BodyError);
    expect(() => read(value, paging, { headers })).toThrow(reason);
  });

  test("what the module names as the end goes before what the response has", () => {
    const counted = { ...PAGE, list: "results", total: "count" } as const;
    expect(read(rest, counted, { received: 0 }).next).toEqual({ page: 2 });
  });
});

describe("the arguments of the styles", () => {
  const call = (...args: readonly unknown[]): unknown =>
    Reflect.apply(requestFault, undefined, args);
  const EVERY = { list: "a.b", id: "key", param: "p", first: 0, total: "t", pages: "n", more: "m" };
  const { first: _, pages: __, ...offset } = EVERY;

  test.each<[paging: unknown, query?: unknown]>([
    [PAGE],
    [OFFSET],
    [LINK],
    [NEXT],
    [{ style: "page", ...EVERY }],
    [{ style: "offset", ...offset }],
    [{ style: "link", list: "a", id: "key", total: "t" }],
    [{ style: "next", list: "a", id: undefined }],
    [PAGE, { page: "3" }],
    [OFFSET, { offset: 0, limit: "all" }],
  ])("nothing is wrong with %j and %j", (paging, query = {}) => {
    expect(call("/x/", query, paging)).toBeUndefined();
  });

  test.each<[paging: unknown, fault: string, query?: unknown]>([
    [
      { style: "page", size: 5 },
      'write { style: "page", list?: "…", id?: "id", param?: "page", first?: 1,',
    ],
    [{ style: "page", first: "1" }, 'write { style: "page"'],
    [{ style: "page", first: 0.5 }, 'write { style: "page"'],
    [{ style: "offset", first: 1 }, 'write { style: "offset", list?: "…"'],
    [{ style: "offset", total: 5 }, 'write { style: "offset", list?: "…"'],
    [
      { style: "link", more: "more" },
      'write { style: "link", list?: "…", id?: "id", total?: "…" }',
    ],
    [{ style: "next", list: ["results"] }, 'write { style: "next", list?: "results", id?: "id" }'],
    [
      { style: "__proto__" },
      'write { style: "keyset" }, { style: "links.next", list: "…" }, { style: "page" },',
    ],
    [{ style: "constructor" }, "write {"],
    [{ style: ["page"] }, "write {"],
    [PAGE, 'page in the query is "last", not a number', { page: "last" }],
    [PAGE, "page in the query is -1, not a number", { page: -1 }],
    [{ style: "page", param: "p" }, "p in the query is 1.5, not a number", { p: 1.5 }],
    [OFFSET, "offset in the query is true, not a number", { offset: true }],
  ])("an error: %j, %s", (paging, fault, query = {}) => {
    expect(call("/x/", query, paging)).toContain(fault);
  });

  test.each<[sentence: string, Paging, Query, Query]>([
    ["the first page is requested by its number", PAGE, { per_page: 5 }, { per_page: 5, page: 1 }],
    ["or by that of the module", { ...PAGE, first: 0 }, { page: 4 }, { page: 4 }],
    ["null is none", PAGE, { page: null }, { page: 1 }],
    ["the first offset is 0", OFFSET, { limit: 5 }, { limit: 5, offset: 0 }],
    ["links begin with the module's query", LINK, { a: 1 }, { a: 1 }],
  ])("%s", (_sentence, paging, query, first) => {
    expect(firstQuery(query, paging)).toEqual(first);
  });
});
