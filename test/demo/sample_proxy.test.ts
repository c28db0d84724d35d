import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";
import { type PandaServer, sharedTasks, startPandaServer } from "../support/panda_server.ts";

const shared = sharedTasks() ?? [];
let panda: PandaServer;
beforeAll(async () => {
  panda = await startPandaServer(shared);
});
afterAll(async () => {
  await panda.close();
});

async function request(query: string): Promise<{ status: number; body: JsonObject }> {
  const response = await fetch(`${panda.url}/api/panda/tasks/${query}`, { redirect: "manual" });
  const body: unknown = await response.json();
  if (!isJsonObject(body)) throw new Error("the response is not an object");
  return { status: response.status, body };
}

async function ids(query: string): Promise<unknown[]> {
  const { body } = await request(query);
  return Array.isArray(body.items)
    ? body.items.map((item) => isJsonObject(item) && item.jeditaskid)
    : [];
}

// The proxy is held to the wire contract: a client that works with it must work with PanDA.
describe.skipIf(shared.length === 0)("the sample proxy", () => {
  test("has the envelope of the sample pages", async () => {
    const { body } = await request("?days=1&limit=12");
    expect(Object.keys(body)).toEqual([
      "items",
      "total_count",
      "has_more",
      "next_before_id",
      "summary",
      "filters",
    ]);
    expect(body).toMatchObject({
      total_count: 30,
      has_more: true,
      next_before_id: 38931,
      summary: { running: 15, done: 2, failed: 2, broken: 2, finished: 1 },
      filters: {
        days: 1,
        status: null,
        username: null,
        taskname: null,
        reqid: null,
        workinggroup: null,
        taskid: null,
      },
    });
    expect((await request("?days=1&limit=12&before_id=38896")).body).toMatchObject({
      total_count: 30,
      has_more: false,
      next_before_id: null,
    });
  });

  const filters: readonly [sentence: string, query: string, ids: readonly number[]][] = [
    ["one status", "?status=broken", [38920, 38918]],
    ["one owner", "?username=second%20user", [38890, 38886]],
    ["owners by a pattern", "?username=ph%25er", [38949, 38925]],
    ["a part of a name", "?taskname=site-canary", [38893]],
    ["the rest of a list", "?before_id=38880", [38874, 38870]],
    ["everything for before_id 0, which is not a cursor", "?before_id=0&limit=1", [38962]],
    ["no processing type", "?processingtype=__blank__", [38874, 38870]],
    ["the last of two values", "?status=done&status=broken", [38920, 38918]],
  ];
  test.each(filters)("finds %s", async (_sentence, query, expected) => {
    expect(await ids(query)).toEqual(expected);
  });

  const invalid: readonly [query: string, error: string][] = [
    ["?limit=201", "limit must be <= 200"],
    ["?limit=0", "limit must be >= 1"],
    ["?limit=many", "limit must be an integer"],
    ["?days=0", "days must be >= 1"],
    ["?days=1.5", "days must be an integer"],
    ["?before_id=x", "before_id must be an integer"],
  ];
  test.each(invalid)("rejects %s", async (query, error) => {
    expect(await request(query)).toEqual({ status: 400, body: { error } });
  });

  test("redirects a path without its slash", async () => {
    const response = await fetch(`${panda.url}/api/panda/tasks?days=1`, { redirect: "manual" });
    expect([response.status, response.headers.get("location")]).toEqual([
      301,
      "/api/panda/tasks/?days=1",
    ]);
  });
});

test("leaves out tasks outside the window, and unfinished tasks older than 60 days", async () => {
  const now = Date.parse("2026-08-07T18:00:00Z") / 1000;
  const row = (
    jeditaskid: number,
    status: string,
    creationdate: string,
    modificationtime: string,
  ) => ({ jeditaskid, status, creationdate, modificationtime });
  const server = await startPandaServer(
    [
      row(1, "running", "2026-06-01T00:00:00", "2026-08-07T17:00:00"),
      row(2, "done", "2026-06-01T00:00:00", "2026-08-07T17:00:00"),
      row(3, "running", "2026-08-01T00:00:00", "2026-08-06T17:59:59"),
      row(4, "running", "2026-08-01T00:00:00", "2026-08-06T18:00:00"),
    ],
    { now },
  );
  try {
    const response = await fetch(`${server.url}/api/panda/tasks/?days=1`);
    expect(await response.json()).toMatchObject({
      items: [{ jeditaskid: 4 }, { jeditaskid: 2 }],
      summary: { running: 1, done: 1 },
    });
  } finally {
    await server.close();
  }
});
