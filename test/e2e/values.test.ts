import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const PANDA = "panda_failure_rate_eic_all";

async function firing(site: Site): Promise<unknown[]> {
  const events = await site.entries("event");
  return events
    .filter(({ data }) => data.clear_time === null)
    .map(({ data }) => data.dedupe_key)
    .sort();
}

/** Neighbours around 2^53 and far beyond it, highest first; as doubles, several are equal. */
const IDS = [
  1_234_567_890_123_456_790n,
  1_234_567_890_123_456_789n,
  9_007_199_254_740_994n,
  9_007_199_254_740_993n,
  9_007_199_254_740_992n,
  9_007_199_254_740_991n,
  1_234n,
];

const taskText = (id: bigint): string =>
  `{"jeditaskid": ${id}, "taskname": "t", "status": "running", "username": "u", "nactive": 1, "nfinished": 50, "nfailed": 50, "nfinalfailed": 20, "nfilesfinished": 80, "computed_failurerate": 0.5, "computed_finalfailurerate": 0.2}`;

/** PanDA's list, two tasks a page, and its single tasks; ids are written as PanDA writes them. */
function servePanda(site: Site, listed: readonly bigint[]): void {
  site.source.answer = (_request, response, url) => {
    const id = /\/tasks\/(\d+)\/$/.exec(url.pathname)?.[1];
    if (id !== undefined) return void response.end(taskText(BigInt(id)));
    const before = url.searchParams.get("before_id");
    const rest = listed.filter((task) => before === null || task < BigInt(before));
    const page = rest.slice(0, 2);
    const more = rest.length > page.length;
    response.end(
      `{"items": [${page.map(taskText)}], "total_count": ${listed.length}, "has_more": ${more}, "next_before_id": ${more ? page.at(-1) : null}}`,
    );
  };
}

test("tasks whose ids are beyond 2^53 are told apart, page after page and tick after tick", async () => {
  const site = await makeSite({ alarmsDir: SHIPPED });
  await insertAlarm(site, PANDA, { params: { threshold: 0.03 } });
  servePanda(site, IDS);
  const keys = IDS.map((id) => `task:${id}`).sort();
  for (const listed of [IDS, IDS, IDS.slice(0, -3), [...IDS.slice(0, 1), ...IDS.slice(2)]]) {
    servePanda(site, listed);
    expect(await site.tick()).toEqual(QUIET);
    expect(await firing(site)).toEqual(keys);
  }
  const events = await site.entries("event");
  expect(events).toHaveLength(IDS.length);
  expect(events.map(({ data }) => `task:${data.jeditaskid}`).sort()).toEqual(keys);

  site.source.answer = (_request, response) =>
    response.end('{"items": [], "has_more": false, "load": [0, 1e400]}');
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("the number 1e400 is too large to be represented");
  expect(await firing(site)).toEqual(keys);
});

test("keys that differ only in what Postgres cannot store stay apart, and the module gets them back", async () => {
  const site = await makeSite();
  site.module(
    "things.js",
    THINGS.replace(
      "for await",
      `const firing = await client.firing();
  if (firing.length > 0) client.log("equal: " + (firing.sort().join() === ${JSON.stringify(["a\0b", "a\ud800b", "a\udc00b", "a\\u0000b", "a\uFFFDb"].sort().join())}));
  for await`,
    ),
  );
  await insertAlarm(site, "things");
  site.things = ["a\0b", "a\ud800b", "a\udc00b", "a\\u0000b", "a\uFFFDb"].map((key) => ({ key }));
  expect(await site.tick()).toEqual(QUIET);
  const stored = ["a\\u0000b", "a\\ud800b", "a\\udc00b", "a\\u005cu0000b", "a\uFFFDb"].sort();
  expect(await firing(site)).toEqual(stored);
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(5);
  expect(site.log()).toContain("equal: true");
  site.things = site.things.slice(1);
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site)).toEqual(stored.filter((key) => key !== "a\\u0000b"));
});

test.each([
  ["a style that does not exist", 'client.pages("/things/", {}, { style: "links" })'],
  ["a query that would be lost", 'client.pages("/things/", new URLSearchParams({ a: "1" }))'],
  ["a list in the query", '[await client.get("/things/", { ids: [1, 2] })]'],
  ["a request without a path", "[await client.find(undefined)]"],
  ["a source that is not configured", 'client.source("mian").pages("/things/")'],
])("%s is an error, even if the module catches it, and clears nothing", async (_sentence, call) => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [{ key: "k" }];
  expect(await site.tick()).toEqual(QUIET);
  site.things = [];
  site.module(
    "things.js",
    `export async function* detect(client) { try { for await (const { key } of ${call}) yield { dedupeKey: key }; } catch {} }`,
  );
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(
    /things: (the paging is|the query is|ids in the query|the path is|the source "mian")/,
  );
  expect(await firing(site)).toEqual(["k"]);
});

test("a mistyped key of a detection is an error with the right name, and clears nothing", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [{ key: "k", subject: "Broken" }];
  expect(await site.tick()).toEqual(QUIET);
  site.module("things.js", THINGS.replace("subject, body, data };", "subjet: subject };"));
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("with the key subjet (did you mean subject?)");
  expect(await firing(site)).toEqual(["k"]);
});

test("a long number as a string parameter reaches the module digit by digit", async () => {
  const site = await makeSite();
  site.module(
    "typed.js",
    `export const PARAMS = { id: { type: "string", description: "which" } };
export const detect = (_, { id }) => [{ dedupeKey: "task:" + id }];`,
  );
  const args = ["--param", "id=9007199254740993"];
  const tried = await site.command(["alarm", "try", "typed", ...args]);
  expect(tried.stdout).toContain("task:9007199254740993: ");
  expect(await site.command(["alarm", "set", "typed", ...args])).toMatchObject({ code: 0 });
  expect(await site.tick()).toEqual(QUIET);
  expect(await firing(site)).toEqual(["task:9007199254740993"]);
});
