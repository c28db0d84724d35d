import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { type GracedbServer, recordedSuperevents, startGracedb } from "./gracedb_server.ts";
import { recordsOf, serveRecords } from "./gracedb_timeline.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";

const ALARM = "gracedb_heartbeat";
const NOW = Date.UTC(2024, 4, 1, 12) / 1000;

interface Mock {
  readonly id: string;
  /** Minutes before now. */
  readonly age: number;
  /** The same of its notices. */
  readonly notices?: readonly number[];
  readonly row?: JsonObject;
}

async function serve(mocks: readonly Mock[]): Promise<GracedbServer> {
  const server = await serveRecords(
    mocks.map(({ id, age, notices = [], row = {} }) =>
      recordsOf(id, NOW - age * 60, {
        labels: {},
        notices: notices.map((minutes) => ["PR", (age - minutes) * 60] as const),
        row: { category: "MDC", ...row },
      }),
    ),
  );
  onTestFinished(() => server.close());
  return server;
}

async function run(server: GracedbServer, params: JsonObject = {}, now = NOW) {
  return await runAlarm({ alarm: ALARM, params, sources: { gracedb: server.url }, now });
}

const PRODUCTION = { category: "Production" };

describe("the heartbeat", () => {
  const rows: readonly [sentence: string, mocks: readonly Mock[], subjects: readonly string[]][] = [
    ["is quiet while both come", [{ id: "MS1", age: 70, notices: [69, 60] }], []],
    [
      "waits for the notice of a young event",
      [
        { id: "MS2", age: 1 },
        { id: "MS1", age: 61, notices: [59] },
      ],
      [],
    ],
    ["gives a first event the time for its notice", [{ id: "MS1", age: 60 }], []],
    [
      "reports a newest event that is too old",
      [{ id: "MS1", age: 71, notices: [70] }],
      ["the newest mock event, MS1, is 71 min old"],
    ],
    [
      "counts no real event",
      [
        { id: "S1", age: 5, notices: [4], row: PRODUCTION },
        { id: "MS1", age: 71, notices: [70] },
      ],
      ["the newest mock event, MS1, is 71 min old"],
    ],
    [
      "reports events without notices",
      [
        { id: "MS3", age: 5 },
        { id: "MS2", age: 65 },
        { id: "MS1", age: 125 },
        { id: "MS0", age: 185, notices: [180] },
      ],
      ["none of the newest 3 mock events has a notice"],
    ],
    [
      "reports a newest notice that is too old",
      [
        { id: "MS2", age: 5 },
        { id: "MS1", age: 95, notices: [91, 94] },
      ],
      ["the newest notice of a mock event, MS1, is 91 min old"],
    ],
    [
      "reports both once everything has stopped",
      [{ id: "MS1", age: 600, notices: [598] }],
      [
        "the newest mock event, MS1, is 10 h old",
        "the newest notice of a mock event, MS1, is 9 h old",
      ],
    ],
  ];
  test.each(rows)("%s", async (_sentence, mocks, subjects) => {
    const outcome = await run(await serve(mocks));
    expect(outcome.detections.map(({ subject }) => subject)).toEqual(subjects);
    expect([outcome.status, outcome.scopes.size]).toEqual(["complete", 0]);
  });

  test.each([
    ["without a row", []],
    ["with real events alone", [{ id: "S1", age: 5, row: PRODUCTION }]],
  ])("does not take a list %s for all well", async (_sentence, mocks) => {
    const outcome = await run(await serve(mocks));
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["mock_event", "mock_notice"] });
    expect(outcome.scopes.size).toBe(0);
  });

  test("does not take a notice that cannot be looked at for one that is missing", async () => {
    const server = await serve([{ id: "MS1", age: 5 }]);
    server.answers.set("superevents/MS1/voevents/", 403);
    const outcome = await run(server);
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect(outcome.scopes.get("mock_notice")?.reason).toContain("403");
  });

  test("does not take an event from the future for a new one", async () => {
    const outcome = await run(await serve([{ id: "MS1", age: -60, notices: [1] }]));
    expect(outcome.scopes.get("mock_event")?.reason).toContain("60 min from now");
  });

  test("reports a row that it cannot read", async () => {
    const server = await serve([
      { id: "MS2", age: 5, row: { created: "soon" } },
      { id: "MS1", age: 65, notices: [60] },
    ]);
    expect(await run(server)).toMatchObject({
      status: "partial",
      reasons: ["superevent MS2 has no readable created time"],
    });
  });

  test("does not take events that it cannot read for none", async () => {
    const outcome = await run(await serve([{ id: "MS1", age: 5, row: { created: "soon" } }]));
    expect(keysOf(outcome)).toEqual({ status: "partial", keys: [] });
  });

  test("fails if the list fails", async () => {
    const server = await serve([]);
    await server.close();
    expect((await run(server)).status).toBe("failed");
  });
});

test.each([
  ["4242c4c", "2023-08-31 09:04:11 UTC", "MS230831i", 70, []],
  ["4242c4c", "2023-08-31 09:04:11 UTC", "MS230831i", 15, ["mock_event"]],
  ["7ab5bfa", "2023-09-26 02:36:47 UTC", "MS230926b", 70, []],
] as const)(
  "on the recorded list %s at %s, when %s is the newest, with %i minutes",
  async (snapshot, now, newest, minutes, keys) => {
    const rows = recordedSuperevents(snapshot);
    if (rows === undefined) return console.log(`skipped: no recorded list ${snapshot}`);
    const server = await startGracedb(rows);
    onTestFinished(() => server.close());
    const began = (parseUtc(now) ?? 0) - 600;
    const { voevents } = recordsOf(newest, began, { labels: {}, notices: [["PR", 0]] });
    server.answers.set(`superevents/${newest}/voevents/`, voevents);
    const outcome = await run(server, { event_minutes: minutes }, parseUtc(now));
    expect(keysOf(outcome)).toEqual({ status: "complete", keys });
    expect(server.requests).toHaveLength(2);
  },
);
