import { describe, expect, test } from "vitest";
import {
  firstQuery,
  KEYSET,
  type Paging,
  parsePage,
  requestFault,
} from "../../../src/source/client/paging.ts";
import { BodyError } from "../../../src/source/fetch_error.ts";
import { type Query, queryText } from "../../../src/source/query.ts";
import type { JsonValue } from "../../../src/text/json.ts";

const LINKS: Paging = { style: "links.next", list: "superevents" };
/** Neighbours: as numbers, the first two are equal. */
const LONG = ["9007199254740992", "9007199254740993", "9007199254740994"] as const;
/** One page, as the client reads it. */
function read(value: JsonValue, query: Query, paging: Paging, idFields?: readonly string[]) {
  const asked = { path: "/api/list/", query, idFields, received: 0 };
  return parsePage({ value, headers: {} }, paging, asked);
}

const URL_OF_LIST = "https://gracedb.example/api/superevents/";

describe("parsePage, PanDA's keyset paging", () => {
  const goesOn: readonly (readonly [string, JsonValue, Query, Query | undefined])[] = [
    [
      "a page that says it is the last",
      { items: [{ id: 1 }], has_more: false, next_before_id: null },
      { limit: 200 },
      undefined,
    ],
    [
      "a last page that still has a cursor",
      { items: [], has_more: false, next_before_id: 7 },
      { before_id: 7 },
      undefined,
    ],
    ["no has_more, but a null cursor", { items: [], next_before_id: null }, {}, undefined],
    [
      "a page with more: the cursor is added to the query",
      { items: [{ id: 9 }], has_more: true, next_before_id: 9 },
      { limit: 200, status: "running" },
      { limit: 200, status: "running", before_id: 9 },
    ],
    [
      "a later page: the cursor moves down",
      { items: [{ id: 5 }], has_more: true, next_before_id: 5 },
      { before_id: 9 },
      { before_id: 5 },
    ],
    [
      "an empty page that continues",
      { items: [], has_more: true, next_before_id: 5 },
      { before_id: 9 },
      { before_id: 5 },
    ],
    [
      "no has_more, but a cursor",
      { items: [{ id: 5 }], next_before_id: 5 },
      { before_id: 9 },
      { before_id: 5 },
    ],
    [
      "everything else that PanDA sends along",
      {
        items: [],
        total_count: 5,
        has_more: false,
        next_before_id: null,
        summary: {},
        filters: {},
      },
      {},
      undefined,
    ],
  ];
  test.each(goesOn)("read: %s", (_sentence, answer, asked, next) => {
    expect(read(answer, asked, KEYSET).next).toEqual(next);
  });

  test("the items are returned as they are, in their order, null and missing kept apart", () => {
    const items = [{ id: 2, site: null }, { id: 1 }, {}];
    const page = read({ items, has_more: false, next_before_id: null }, {}, KEYSET);
    expect(page).toMatchObject({ items, next: undefined });
  });

  test("a list of another name", () => {
    const paging: Paging = { style: "keyset", list: "jobs" };
    const answer = { jobs: [{ id: 1 }], items: "other", has_more: false };
    expect(read(answer, {}, paging).items).toEqual([{ id: 1 }]);
    expect(() => read({ items: [], has_more: false }, {}, paging)).toThrow(
      'the response has no list "jobs" (it has: items, has_more); name it with list:, or use client.get',
    );
  });

  const faults: readonly (readonly [string, JsonValue, Query, string])[] = [
    ["the body is null", null, {}, 'the response is null, not an object with the list "items"'],
    ["the body is a bare list", [{ id: 1 }], {}, "the response is a list, not an object"],
    ["the body is a text", "Service Unavailable", {}, 'the response is "Service Unavailable", not'],
    ["the body is a number", 0, {}, "the response is 0, not an object"],
    ["the body is false", false, {}, "the response is false, not an object"],
    [
      "the body has no list",
      { error: "boom" },
      {},
      'the response has no list "items" (it has: error)',
    ],
    ["the body is empty", {}, {}, "(it has: no keys)"],
    ["the list is null", { items: null, has_more: false }, {}, "items is null, not a list"],
    ["the list is an object", { items: {}, has_more: false }, {}, "items is an object, not a list"],
    ["the list is a text", { items: "[]", has_more: false }, {}, 'items is "[]", not a list'],
    [
      "an item is null",
      { items: [{}, null], has_more: false },
      {},
      "items[1] is null, not an object",
    ],
    ["an item is a list", { items: [[]], has_more: false }, {}, "items[0] is a list"],
    ["an item is a number", { items: [5], has_more: false }, {}, "items[0] is 5, not an object"],
    ["it does not say how it continues", { items: [] }, {}, "next_before_id is missing"],
    ["has_more is null", { items: [], has_more: null }, {}, "has_more is null, not true or false"],
    ["has_more is a text", { items: [], has_more: "false" }, {}, 'has_more is "false"'],
    ["has_more is a number", { items: [], has_more: 0, next_before_id: null }, {}, "has_more is 0"],
    ["more, but no cursor", { items: [], has_more: true }, {}, "next_before_id is missing"],
    [
      "more, but a null cursor",
      { items: [], has_more: true, next_before_id: null },
      {},
      "next_before_id is null although the list has not ended",
    ],
    [
      "the cursor is a text",
      { items: [], has_more: true, next_before_id: "5" },
      {},
      'next_before_id is "5"',
    ],
    ["the cursor is a fraction", { items: [], has_more: true, next_before_id: 5.5 }, {}, "is 5.5"],
    [
      "the cursor is beyond counting",
      { items: [], has_more: true, next_before_id: 1e300 },
      {},
      "is 1e+300",
    ],
    [
      "the cursor beyond 2^53 repeats",
      { items: [], has_more: true, next_before_id: "9007199254740993" },
      { before_id: "9007199254740993" },
      "next_before_id is 9007199254740993 after before_id 9007199254740993; it must decrease",
    ],
    [
      "the cursor repeats",
      { items: [], has_more: true, next_before_id: 9 },
      { before_id: 9 },
      "it must decrease",
    ],
    [
      "the cursor goes up",
      { items: [], has_more: true, next_before_id: 10 },
      { before_id: 9 },
      "next_before_id is 10 after before_id 9",
    ],
    [
      "the cursor repeats without a has_more",
      { items: [], next_before_id: 9 },
      { before_id: 9 },
      "it must decrease",
    ],
  ];
  test.each(faults)("an error: %s", (_sentence, answer, asked, reason) => {
    expect(() => read(answer, asked, KEYSET)).toThrow(BodyError);
    expect(() => read(answer, asked, KEYSET)).toThrow(reason);
  });

  type Row = Readonly<Record<string, JsonValue>>;
  const page = (items: readonly Row[], cursor: string | number | null): JsonValue => ({
    items: items.map((item) => ({ ...item })),
    has_more: cursor !== null,
    next_before_id: cursor,
  });
  const ids = (...list: readonly JsonValue[]): Row[] => list.map((id) => ({ id }));
  const task = (jeditaskid: number, reqid: JsonValue): Row => ({ reqid, jeditaskid });

  const inOrder: readonly [
    sentence: string,
    items: readonly Row[],
    cursor: string | number | null,
    query: Query,
    known: readonly string[] | undefined,
    found: readonly string[] | undefined,
  ][] = [
    ["decreasing ids, with gaps", ids(9, 8, 5), 5, {}, undefined, ["id"]],
    ["a page of one item", ids(9), 9, {}, undefined, ["id"]],
    ["ids below zero", ids(3, 0, -5), -5, {}, undefined, ["id"]],
    ["below the cursor of the page before", ids(8, 7), 7, { before_id: 9 }, ["id"], ["id"]],
    ["the last page", ids(8, 7), null, { before_id: 9 }, ["id"], ["id"]],
    ["a cursor of the module's own as a text", ids(8, 7), 7, { before_id: "9" }, undefined, ["id"]],
    ["a single page cannot be checked", ids(1, 7, 7, "x"), null, {}, undefined, undefined],
    ["an empty page shows nothing", [], 5, { before_id: 9 }, ["id"], ["id"]],
    ["ids beyond 2^53 are strings", ids(LONG[2], LONG[1]), LONG[1], {}, undefined, ["id"]],
    [
      "strings as numbers: longer ones are larger",
      ids("10000000000000000", "9999999999999999"),
      "9999999999999999",
      { before_id: "100000000000000000" },
      undefined,
      ["id"],
    ],
    [
      "strings and numbers on one page",
      ids(LONG[0], 2 ** 53 - 1),
      2 ** 53 - 1,
      {},
      undefined,
      ["id"],
    ],
    ["numbers below a string", ids(8, 7), 7, { before_id: LONG[0] }, ["id"], ["id"]],
    ["far below zero", ids(-5, `-${LONG[0]}`), `-${LONG[0]}`, { before_id: 9 }, undefined, ["id"]],
    ["the first page is empty", [], 5, {}, undefined, undefined],
    [
      "two fields match, and both decrease",
      [task(9, 9), task(8, 8)],
      8,
      {},
      undefined,
      ["reqid", "jeditaskid"],
    ],
    [
      "two fields match, and one of them decreases",
      [task(9, 3), task(8, 8)],
      8,
      {},
      undefined,
      ["jeditaskid"],
    ],
    [
      "the other field ends on a later page",
      [task(7, 7), task(6, 0)],
      6,
      { before_id: 8 },
      ["reqid", "jeditaskid"],
      ["jeditaskid"],
    ],
    [
      "the other field is a text on the last page",
      [task(7, "7")],
      null,
      { before_id: 8 },
      ["reqid", "jeditaskid"],
      ["jeditaskid"],
    ],
  ];
  test.each(inOrder)("in order: %s", (_sentence, items, cursor, query, known, found) => {
    expect(read(page(items, cursor), query, KEYSET, known).idFields).toEqual(found);
  });

  const outOfOrder: readonly [
    sentence: string,
    items: readonly Row[],
    cursor: string | number | null,
    query: Query,
    known: readonly string[] | undefined,
    reason: string,
  ][] = [
    [
      "ascending",
      ids(5, 8, 9),
      9,
      {},
      undefined,
      "id of item 2 is 8; ids must decrease, so it must be an integer below 5",
    ],
    ["in the order of another column", ids(9, 3, 7), 7, {}, undefined, "id of item 3 is 7"],
    ["one id twice", ids(9, 7, 7), 7, {}, undefined, "id of item 3 is 7"],
    [
      "one id twice, at the end of the list",
      ids(4, 4),
      null,
      { before_id: 9 },
      ["id"],
      "id of item 2 is 4",
    ],
    [
      "an item without an id",
      [{ id: 9 }, {}, { id: 7 }],
      7,
      {},
      undefined,
      "id of item 2 is missing",
    ],
    ["a null id", ids(9, null, 7), 7, {}, undefined, "id of item 2 is null"],
    [
      "ids beyond 2^53 that ascend",
      ids(LONG[0], LONG[1]),
      LONG[1],
      {},
      undefined,
      `id of item 2 is "${LONG[1]}"; ids must decrease, so it must be an integer below ${LONG[0]}`,
    ],
    [
      "one that would be rounded to the other",
      ids(LONG[1], LONG[1]),
      LONG[1],
      {},
      undefined,
      "id of item 2",
    ],
    [
      "a string above a number",
      ids(9, LONG[0]),
      LONG[0],
      {},
      undefined,
      "must be an integer below 9",
    ],
    ["a fraction", ids(9, 8.5, 7), 7, {}, undefined, "id of item 2 is 8.5"],
    ["a text of digits among numbers", ids(9, "8", 7), 7, {}, undefined, 'id of item 2 is "8"'],
    [
      "ids that are texts of digits",
      ids("9", "8"),
      8,
      {},
      undefined,
      "no field of the last item is 8",
    ],
    ["no field is the cursor", ids(9, 8), 5, {}, undefined, "no field of the last item is 5"],
    [
      "a page that begins with the cursor",
      ids(9, 8),
      8,
      { before_id: 9 },
      ["id"],
      "id of item 1 is 9",
    ],
    [
      "an item above the cursor",
      ids(300, 8),
      8,
      { before_id: 9 },
      ["id"],
      "id of item 1 is 300; ids must decrease, so it must be an integer below 9",
    ],
    [
      "an item above the cursor of the module's own",
      ids(300, 8),
      8,
      { before_id: "9" },
      undefined,
      "id of item 1 is 300",
    ],
    [
      "the page before again, as the last one",
      ids(9, 8),
      null,
      { before_id: 8 },
      ["id"],
      "id of item 1 is 9",
    ],
    [
      "after a cursor of 0, which the service ignores",
      ids(9, 8),
      null,
      { before_id: 0 },
      ["id"],
      "id of item 1 is 9",
    ],
    [
      "a cursor below the last item",
      ids(8, 7),
      5,
      { before_id: 9 },
      ["id"],
      "next_before_id is 5, but the last id is 7",
    ],
    [
      "a last page without the field",
      [{ key: 1 }],
      null,
      { before_id: 9 },
      ["id"],
      "id of item 1 is missing",
    ],
    [
      "two fields match, and neither decreases",
      [task(7, 6), task(8, 8)],
      8,
      {},
      undefined,
      "reqid of item 2 is 8",
    ],
  ];
  test.each(outOfOrder)("out of order: %s", (_sentence, items, cursor, query, known, reason) => {
    const parse = () => read(page(items, cursor), query, KEYSET, known);
    expect(parse).toThrow(BodyError);
    expect(parse).toThrow(reason);
  });

  test.each([
    ["total_count of a keyset list", KEYSET, { total_count: 5, numRows: 9 }, 5],
    ["numRows of GraceDB", LINKS, { total_count: 5, numRows: 9 }, 9],
    ["no count", KEYSET, {}, undefined],
    ["a null", KEYSET, { total_count: null }, undefined],
    ["digits", LINKS, { numRows: "9" }, 9],
  ])("the count of the whole list: %s", (_sentence, paging, facts, count) => {
    const list = { has_more: false, links: { next: null }, items: [], superevents: [] };
    expect(read({ ...list, ...facts }, {}, paging).count?.items).toBe(count);
  });

  test.each([
    ["the beginning of a text", "x".repeat(10_000)],
    ["a few of many keys", Object.fromEntries(Array.from({ length: 99 }, (_, at) => [at, 0]))],
  ])("an error quotes only %s", (_sentence, answer) => {
    expect(() => read(answer, {}, KEYSET)).toThrow(/^.{1,140}$/);
  });
});

describe("parsePage, GraceDB's links.next", () => {
  const page = (next: JsonValue): JsonValue => ({ superevents: [{ id: "S1" }], links: { next } });
  const asked = { query: "label: ADVREQ", count: 30 };

  const goesOn: readonly (readonly [string, JsonValue, Query | undefined])[] = [
    ["no further page", null, undefined],
    [
      "a whole URL",
      `${URL_OF_LIST}?query=label%3A+ADVREQ&count=30&start=30`,
      { query: "label: ADVREQ", count: "30", start: "30" },
    ],
    ["a path", "/api/superevents/?start=30", { ...asked, start: "30" }],
    ["only a query", "?start=30", { ...asked, start: "30" }],
    [
      "another host, another scheme, a password: only the query counts",
      "ftp://u:p@evil.example:9/else/?start=30#x",
      { ...asked, start: "30" },
    ],
    [
      "a host without a scheme: only the query counts",
      "//evil.example/?start=30",
      { ...asked, start: "30" },
    ],
    [
      "a query that changes what was asked is followed: the service knows its cursor",
      "?query=all&start=30",
      { query: "all", count: 30, start: "30" },
    ],
  ];
  test.each(goesOn)("read: %s", (_sentence, next, query) => {
    expect(read(page(next), asked, LINKS)).toMatchObject({ items: [{ id: "S1" }], next: query });
  });

  const faults: readonly (readonly [string, JsonValue, string])[] = [
    ["the body is a list", [], "the response is a list, not an object"],
    ["the body has no list", { links: { next: null } }, "(it has: links); name it with list:"],
    ["no links", { superevents: [] }, "links is missing, not an object with next"],
    ["links is null", { superevents: [], links: null }, "links is null"],
    ["links is a list", { superevents: [], links: [] }, "links is a list"],
    ["next is not there", { superevents: [], links: {} }, "links.next is missing, not a link"],
    ["next is a number", page(30), "links.next is 30, not a link or null"],
    ["next is false", page(false), "links.next is false"],
    ["next is an object", page({ href: "?start=30" }), "links.next is an object"],
    ["next is no URL", page("http://[::bad/?start=30"), "links.next is"],
  ];
  test.each(faults)("an error: %s", (_sentence, answer, reason) => {
    expect(() => read(answer, asked, LINKS)).toThrow(BodyError);
    expect(() => read(answer, asked, LINKS)).toThrow(reason);
  });
});

describe("requestFault", () => {
  const call = (...args: readonly unknown[]): unknown =>
    Reflect.apply(requestFault, undefined, args);

  test.each([
    ["a query of all types", ["/x/", { a: 1, b: "x", c: false, d: null, e: undefined }]],
    ["a query without a prototype", ["/x/", Object.create(null)]],
    ["keyset", ["/x/", {}, { style: "keyset" }]],
    ["keyset with a list", ["/x/", {}, { style: "keyset", list: "jobs" }]],
    ["links.next", ["/x/", {}, LINKS]],
  ])("nothing is wrong with %s", (_sentence, args) => {
    expect(call(...args)).toBeUndefined();
  });

  const FORMS =
    'write { style: "keyset" }, { style: "links.next", list: "…" }, { style: "page" }, { style: "offset" }, { style: "link" } or { style: "next" }';
  const KEYSET_FORM = '; write { style: "keyset", list?: "items" }';
  const LINKS_FORM = '; write { style: "links.next", list: "…" }';
  test.each([
    ["no path", [undefined, {}], "the path is undefined, not a string"],
    ["a number as the path", [5, {}], "the path is 5, not a string"],
    ["a text as the query", ["/x/", "days=1"], 'the query is "days=1", not an object such as'],
    ["a list as the query", ["/x/", [1]], "the query is [1], not an object"],
    ["null as the query", ["/x/", null], "the query is null, not an object"],
    ["URLSearchParams", ["/x/", new URLSearchParams("days=1")], "the query is {}, not an object"],
    ["a Map", ["/x/", new Map([["days", 1]])], "not an object such as { days: 1 }"],
    ["a list in the query", ["/x/", { ids: [1, 2] }], "ids in the query is [1,2], not a string"],
    ["an object in it", ["/x/", { a: {} }], "a in the query is {}, not a string"],
    ["a date in it", ["/x/", { since: new Date(0) }], "since in the query is"],
    ["NaN in it", ["/x/", { days: Number.NaN }], "days in the query is NaN"],
    ["Infinity in it", ["/x/", { days: Infinity }], "days in the query is Infinity"],
    ["a function in it", ["/x/", { since: Date.now }], "since in the query is a function"],
    ["a symbol in it", ["/x/", { a: Symbol("b") }], "a in the query is"],
    ["null as the paging", ["/x/", {}, null], `the paging is null; ${FORMS}`],
    [
      "an unknown style",
      ["/x/", {}, { style: "pages" }],
      `the paging is {"style":"pages"}; ${FORMS}`,
    ],
    ["no style", ["/x/", {}, { list: "jobs" }], `the paging is {"list":"jobs"}; ${FORMS}`],
    ["an unknown option", ["/x/", {}, { style: "keyset", lists: "jobs" }], KEYSET_FORM],
    ["another unknown option", ["/x/", {}, { ...LINKS, size: 5 }], LINKS_FORM],
    ["links.next without a list", ["/x/", {}, { style: "links.next" }], LINKS_FORM],
    ["a list that is not a name", ["/x/", {}, { style: "keyset", list: ["jobs"] }], KEYSET_FORM],
    ["a style alone", ["/x/", {}, "links.next"], `the paging is "links.next"; ${FORMS}`],
  ])("an error: %s", (_sentence, args, fault) => {
    expect(call(...args)).toContain(fault);
  });
});

describe("firstQuery", () => {
  test.each([
    ["PanDA's lists are requested in the largest pages it allows", {}, KEYSET, { limit: 200 }],
    ["the query of the module is kept", { status: "x" }, KEYSET, { limit: 200, status: "x" }],
    ["a module may ask for smaller pages", { limit: 5 }, KEYSET, { limit: 5 }],
    ["an undefined limit is the largest", { limit: undefined }, KEYSET, { limit: 200 }],
    ["a cursor of 0 is none", { before_id: 0 }, KEYSET, { limit: 200 }],
    ["a cursor of the module's own", { before_id: 7 }, KEYSET, { before_id: 7, limit: 200 }],
    ["other services choose their own size", { query: "x" }, LINKS, { query: "x" }],
  ] satisfies readonly (readonly [string, Query, Paging, Query])[])(
    "%s",
    (_sentence, query, paging, first) => {
      expect(queryText(firstQuery(query, paging))).toBe(queryText(first));
    },
  );
});

describe("queryText", () => {
  test.each([
    ["nothing", {}, ""],
    ["in the order of the names", { b: 1, a: "x" }, "a=x&b=1"],
    [
      "null and undefined are left out, empty and false are not",
      { a: null, b: undefined, c: "", d: false, e: 0 },
      "c=&d=false&e=0",
    ],
    [
      "everything is escaped",
      { "a&b": "c=d&e #?/é😀%" },
      "a%26b=c%3Dd%26e+%23%3F%2F%C3%A9%F0%9F%98%80%25",
    ],
    ["line breaks are escaped", { a: "x\r\nHost: evil" }, "a=x%0D%0AHost%3A+evil"],
  ] satisfies readonly (readonly [string, Query, string])[])("%s", (_sentence, query, text) => {
    expect(queryText(query)).toBe(text);
  });
});
