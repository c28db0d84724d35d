import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { json } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const ALARM = "panda_failure_rate_eic_all";

const utc = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 19);

/** Tasks 1 to 300, all failing; in the order of their changes they are mixed. */
const TASKS: readonly JsonObject[] = Array.from({ length: 300 }, (_, index) => ({
  jeditaskid: index + 1,
  reqid: index % 7,
  taskname: `task ${index + 1}`,
  status: "running",
  username: "somebody",
  processingtype: "epicproduction",
  creationdate: utc(Date.now() / 1000 - 86_400),
  modificationtime: utc(Date.now() / 1000 - 60 * ((index * 7) % 300)),
  nactive: 1,
  nfinished: 50,
  nfailed: 50,
  nfinalfailed: 20,
  nfilesfinished: 80,
  computed_failurerate: 0.5,
  computed_finalfailurerate: 0.2,
}));

const byId = (a: JsonObject, b: JsonObject): number => Number(b.jeditaskid) - Number(a.jeditaskid);
const byChange = (a: JsonObject, b: JsonObject): number =>
  String(b.modificationtime).localeCompare(String(a.modificationtime));

interface Order {
  readonly compare: (a: JsonObject, b: JsonObject) => number;
  readonly limit?: number;
  /** Whether the service lists the task. */
  readonly lists?: (task: JsonObject) => boolean;
  readonly hasCount?: boolean;
}

/** PanDA's list and its single tasks, in an order of the test's choice. */
function servePanda(site: Site, { compare, limit = 200, lists, hasCount = true }: Order): void {
  site.source.answer = (_request, response, url) => {
    const id = /\/tasks\/(\d+)\/$/.exec(url.pathname)?.[1];
    if (id !== undefined) return json(response, TASKS[Number(id) - 1] ?? { error: "no" });
    const all = TASKS.filter((task) => lists?.(task) ?? true).toSorted(compare);
    const before = Number(url.searchParams.get("before_id") ?? 0);
    const rest = all.filter(({ jeditaskid }) => before === 0 || Number(jeditaskid) < before);
    const items = rest.slice(0, limit);
    const more = rest.length > items.length;
    json(response, {
      items,
      ...(hasCount ? { total_count: all.length } : {}),
      has_more: more,
      next_before_id: more ? items.at(-1)?.jeditaskid : null,
    });
  };
}

async function firing(site: Site): Promise<number> {
  return (await site.entries("event")).filter(({ data }) => data.clear_time === null).length;
}

/** A site whose 300 tasks fire and were mailed. */
async function pandaSite(): Promise<Site> {
  const site = await makeSite({ alarmsDir: SHIPPED });
  await insertAlarm(site, ALARM, { params: { threshold: 0.03 } });
  servePanda(site, { compare: byId });
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site)).toBe(300);
  site.mail.mails.length = 0;
  return site;
}

test.for<[sentence: string, order: Order, reason: RegExp | undefined]>([
  ["in the order of changes", { compare: byChange }, /jeditaskid of item \d+ is \d+; ids must/],
  ["ascending", { compare: (a, b) => byId(b, a) }, /jeditaskid of item 2 is 2; ids must decrease/],
  [
    "in another order, one task a page",
    { compare: byChange, limit: 1 },
    /read twice, the list ended after \d+ items, but no page counted fewer than 300/,
  ],
  [
    "in another order, one task a page, without a count: each task has its own response",
    { compare: byChange, limit: 1, hasCount: false },
    /firing tasks are not in the list; only 200 are looked up/,
  ],
  [
    "without 80 of them: each of those has its own response",
    { compare: byId, lists: ({ jeditaskid }) => Number(jeditaskid) > 80 },
    undefined,
  ],
])("a PanDA that lists failing tasks %s: none clears, and none is mailed as new", async (row) => {
  const [, order, reason] = row;
  const site = await pandaSite();
  servePanda(site, order);
  const result = await site.tick();
  if (reason === undefined) expect(result).toEqual(QUIET);
  else {
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(reason);
  }
  expect(await firing(site)).toBe(300);

  servePanda(site, { compare: byId });
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site)).toBe(300);
  expect(await site.entries("event")).toHaveLength(300);
  expect(site.mail.mails).toEqual([]);
});

const things = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: count - index,
    key: `thing:${count - index}`,
    subject: "is wrong",
  }));

/** A site of 300 things that fire, and a page of its list; `read` counts the readings. */
async function thingsSite(
  page: (read: number, all: ReturnType<typeof things>) => JsonObject,
  style: "keyset" | "links.next" = "keyset",
): Promise<Site> {
  const site = await makeSite();
  const text =
    style === "keyset"
      ? THINGS
      : THINGS.replace('"/things/"', '"/things/", {}, { style: "links.next", list: "items" }');
  site.module("things.js", text);
  await insertAlarm(site, "things");
  const all = things(300);
  const end = { has_more: false, next_before_id: null, links: { next: null } };
  site.source.answer = (_request, response) => json(response, { ...end, items: all });
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site)).toBe(300);
  site.source.requests.length = 0;
  let read = 0;
  site.source.answer = (_request, response) => {
    read += 1;
    json(response, { ...end, ...page(read, all) });
  };
  return site;
}

test.for([
  { style: "keyset", field: "total_count" },
  { style: "links.next", field: "numRows" },
] as const)(
  "$style: a list that is shorter than its count, twice, clears nothing",
  async ({ style, field }) => {
    const site = await thingsSite(
      (_read, all) => ({ items: all.slice(0, 200), [field]: 300 }),
      style,
    );
    const result = await site.tick();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(
      `things: GET /things/ from main: read twice, the list ended after 200 items, but no page counted fewer than 300 (${field}); check the service`,
    );
    expect(site.source.requests).toHaveLength(2);
    expect(await firing(site)).toBe(300);
  },
);

test("a list that is shorter than its count, once, is complete with its second reading", async () => {
  const site = await thingsSite((read, all) => ({
    items: all.slice(0, read === 1 ? 200 : 290),
    total_count: read === 1 ? 300 : 290,
  }));
  expect(await site.tick()).toEqual(QUIET);
  expect(site.source.requests).toHaveLength(2);
  expect(await firing(site)).toBe(290);
});

test("several alarms on such a list: it is read twice in all", async () => {
  const site = await thingsSite((_read, all) => ({ items: all.slice(0, 200), total_count: 300 }));
  for (const name of ["things_b", "things_c"]) {
    site.module(`${name}.js`, THINGS);
    await insertAlarm(site, name);
  }
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr.match(/read twice/g)).toHaveLength(3);
  expect(site.source.requests).toHaveLength(2);
});

test("a busy list whose count changes from page to page is complete, and read once", async () => {
  const site = await thingsSite(() => ({}));
  const page = (items: unknown, count: number, next: number | null): JsonObject =>
    JSON.parse(
      JSON.stringify({ items, total_count: count, has_more: next !== null, next_before_id: next }),
    );
  site.source.answer = (_request, response, url) => {
    const all = things(300);
    // 301 came after the first page, then 7 and 8 went.
    if (url.searchParams.get("before_id") === "201")
      json(response, page(all.slice(100, 200), 301, 101));
    else if (url.searchParams.get("before_id") === "101")
      json(
        response,
        page(
          all.slice(200).filter(({ id }) => id !== 7 && id !== 8),
          298,
          null,
        ),
      );
    else json(response, page(all.slice(0, 100), 300, 201));
  };
  expect(await site.tick()).toEqual(QUIET);
  expect(site.source.requests).toHaveLength(3);
  expect(await firing(site)).toBe(298);
});
