import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { type GracedbServer, recordedSuperevents, startGracedb } from "./gracedb_server.ts";
import { keysOf, loadAlarm, runAlarm } from "./run_alarm.ts";

const ALARM = "gracedb_awaiting_decision";

async function run(server: GracedbServer, params: JsonObject = {}, at = NOW) {
  return await runAlarm({
    alarm: ALARM,
    params,
    sources: { gracedb: server.url },
    now: parseUtc(at) ?? 0,
  });
}

const NOW = "2023-08-31 09:04:11 UTC";
const first = recordedSuperevents("4242c4c") ?? [];
const second = recordedSuperevents("7ab5bfa") ?? [];

describe.skipIf(first.length === 0)("on the recorded lists of 2023", () => {
  test("reports the one that has waited longer than the limit", async () => {
    const outcome = await run(await startGracedb(first), { waiting_minutes: 15 });
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["superevent:MS230831i"] });
    expect(outcome.detections[0]).toMatchObject({
      subject:
        "superevent MS230831i (MDC) has waited 19 min for a decision, since 2023-08-31 08:44:28 UTC",
      data: {
        metric: "19 min",
        superevent_id: "MS230831i",
        category: "MDC",
        waiting_since: "2023-08-31 08:44:28 UTC",
        since_is: "superevent",
        far: 9.110699364861297e-14,
        group: "CBC",
        pipeline: "gstlal",
      },
    });
    expect(outcome.detections[0]?.body).toContain("GraceDB has no time for ADVREQ");
  });

  test("reports nothing before the limit, and makes no further request", async () => {
    const server = await startGracedb(first);
    expect(keysOf(await run(server, { waiting_minutes: 30 }))).toEqual({
      status: "complete",
      keys: [],
    });
    expect(server.requests).toEqual([
      "/api/superevents/?count=100&query=label%3A+ADVREQ+%26+%7EADVOK+%26+%7EADVNO",
    ]);
  });

  test("reports nothing from a list without ADVREQ", async () => {
    expect(
      keysOf(
        await run(await startGracedb(second), { waiting_minutes: 0 }, "2023-09-26 02:36:47 UTC"),
      ),
    ).toEqual({ status: "complete", keys: [] });
  });

  test("finds it on a later page, though the links name another host", async () => {
    const server = await startGracedb([...first].reverse(), 30);
    const outcome = await run(server, { waiting_minutes: 15, query: "" });
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["superevent:MS230831i"] });
    expect(server.requests).toEqual([
      "/api/superevents/?count=100&query=",
      "/api/superevents/?count=30&query=&start=30",
      "/api/superevents/MS230831i/labels/",
    ]);
  });
});

/** A superevent that was made 64 minutes before NOW and awaits a decision. */
function superevent(id: string, changes: JsonObject = {}): JsonObject {
  const row = {
    superevent_id: id,
    category: "Production",
    created: "2023-08-31 08:00:11 UTC",
    far: 1e-9,
    labels: ["ADVREQ"],
  };
  return { ...row, ...changes };
}

function advreq(created: string): JsonObject {
  return { name: "ADVREQ", created, creator: "emfollow", self: "" };
}

describe("the time of the label counts", () => {
  test("if GraceDB has it: reported when it is older than the limit", async () => {
    const server = await startGracedb([superevent("S1"), superevent("S2")]);
    server.labels.set("S1", [advreq("2023-08-31 08:34:11 UTC")]);
    server.labels.set("S2", [advreq("2023-08-31 08:34:12 UTC")]);
    const outcome = await run(server);
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["superevent:S1"] });
    expect(outcome.detections[0]?.data).toMatchObject({
      metric: "30 min",
      since_is: "label",
      waiting_since: "2023-08-31 08:34:11 UTC",
    });
  });

  test("and a decision that was made after the list was read", async () => {
    const server = await startGracedb([superevent("S1")]);
    server.labels.set("S1", [
      advreq("2023-08-31 08:01:00 UTC"),
      { name: "ADVOK", created: "2023-08-31 09:04:10 UTC" },
    ]);
    expect(keysOf(await run(server))).toEqual({ status: "complete", keys: [] });
  });

  test.each([
    ["leads to another path", "S1/../../x?y"],
    ["leads up", ".."],
    ["is half a character", "\ud800"],
    ["would start a new line", "S1\nS2"],
  ])(
    "an id that %s is an error, causes no request and hides no other superevent",
    async (_, id) => {
      const server = await startGracedb([superevent(id), superevent("S1")]);
      const outcome = await run(server);
      expect(keysOf(outcome)).toEqual({ status: "partial", keys: ["superevent:S1"] });
      expect(outcome.reasons).toEqual([
        expect.stringMatching(/^a superevent has the superevent_id ".*"$/),
      ]);
      expect(server.requests).toHaveLength(2);
    },
  );
});

describe("an incomplete response clears nothing", () => {
  test("a failed request for labels: reported by the superevent's time", async () => {
    const server = await startGracedb([superevent("S1"), superevent("S2")]);
    server.labelStatus = 403;
    const outcome = await run(server);
    expect(keysOf(outcome)).toEqual({
      status: "partial",
      keys: ["superevent:S1", "superevent:S2"],
    });
    expect(outcome.detections[0]?.data).toMatchObject({ since_is: "superevent" });
  });

  const rows: readonly [sentence: string, row: JsonObject, reason: string][] = [
    [
      "an invalid creation time",
      superevent("S1", { created: "yesterday" }),
      "no readable created time",
    ],
    ["invalid labels", superevent("S1", { labels: "ADVREQ" }), "no readable labels"],
    ["a row without an id", superevent("S1", { superevent_id: undefined }), "superevent_id"],
  ];
  test.each(rows)("%s: the others are reported", async (_sentence, row, reason) => {
    const outcome = await run(await startGracedb([row, superevent("S2")]));
    expect(keysOf(outcome)).toEqual({ status: "partial", keys: ["superevent:S2"] });
    expect(outcome.reasons[0]).toContain(reason);
  });

  test("a time that cannot be read does not matter once a decision was made", async () => {
    const row = superevent("S1", { created: null, labels: ["ADVREQ", "ADVNO"] });
    expect(keysOf(await run(await startGracedb([row])))).toEqual({ status: "complete", keys: [] });
  });

  test("a service that is not configured", async () => {
    const outcome = await runAlarm({ alarm: ALARM, params: {}, sources: {} });
    expect(outcome).toMatchObject({ status: "failed", detections: [] });
    expect((await loadAlarm(ALARM)).sources).toEqual(["gracedb"]);
  });
});

describe("categories", () => {
  const rows: readonly [sentence: string, params: JsonObject, ids: readonly string[]][] = [
    ["all of them by default", {}, ["S1", "MS1", "TS1", "X"]],
    ["all of them for an empty list", { categories: [] }, ["S1", "MS1", "TS1", "X"]],
    [
      "those that are named, and superevents without one",
      { categories: ["Production", "Test"] },
      ["S1", "TS1", "X"],
    ],
  ];
  test.each(rows)("%s", async (_sentence, params, ids) => {
    const server = await startGracedb([
      superevent("S1"),
      superevent("MS1", { category: "MDC" }),
      superevent("TS1", { category: "Test" }),
      superevent("X", { category: null }),
    ]);
    expect(keysOf(await run(server, params)).keys).toEqual(ids.map((id) => `superevent:${id}`));
  });
});
