import { afterEach, describe, expect, test } from "vitest";
import { GRAPH } from "../../alarms/gracedb_followup.ts";
import { checkGraph } from "../../src/author/expectations/check_graph.ts";
import { horizon } from "../../src/author/expectations/horizon.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { type GracedbServer, listResponse, startGracedb } from "./gracedb_server.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";
import { logEntry, type RowFacts, supereventRow } from "./superevent_row.ts";

let gracedb: GracedbServer | undefined;
afterEach(async () => {
  await gracedb?.close();
  gracedb = undefined;
});

async function serve(rows: readonly JsonObject[]): Promise<GracedbServer> {
  gracedb = await startGracedb(rows);
  return gracedb;
}

async function run(
  server: GracedbServer,
  at: string,
  params: JsonObject = {},
  firing: readonly string[] = [],
) {
  return await runAlarm({
    alarm: "gracedb_followup",
    params,
    sources: { gracedb: server.url },
    now: parseUtc(at) ?? 0,
    firing,
  });
}

test("the graph has no faults, and its last deadline is within the default look-back", () => {
  expect(checkGraph(GRAPH)).toEqual([]);
  expect(horizon(GRAPH)).toBeLessThan(72 * 3600);
});

const CREATED = "2023-08-31 08:00:00 UTC";
/** All that a superevent needs at first is due. */
const LATER = "2023-08-31 08:30:00 UTC";
const CBC = ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY", "EM_READY"];

const without = (...names: string[]): string[] => CBC.filter((label) => !names.includes(label));

const rows: readonly [sentence: string, row: Partial<RowFacts>, expected: readonly string[]][] = [
  ["nothing of one that has all labels", {}, []],
  [
    "one missing product, and not what waits for it",
    { labels: [] },
    ["sky_map", "em_bright", "p_astro"],
  ],
  ["a missing sky map", { labels: without("SKYMAP_READY", "EM_READY") }, ["sky_map"]],
  ["missing EM_READY once all products are there", { labels: without("EM_READY") }, ["complete"]],
  [
    "nothing that the preferred event is labelled with",
    { labels: ["EM_READY"], preferred: CBC },
    [],
  ],
  [
    "no EM-bright and no p-astro of a burst",
    { labels: ["SKYMAP_READY", "EM_READY"], group: "Burst", pipeline: "CWB" },
    [],
  ],
  ["the sky map of a burst", { labels: [], group: "Burst", pipeline: "CWB" }, ["sky_map"]],
  [
    "no sky map of oLIB yet, which takes hours",
    { labels: [], group: "Burst", pipeline: "oLIB" },
    [],
  ],
  [
    "no p-astro of a search below a solar mass",
    { labels: without("PASTRO_READY"), search: "SSM" },
    [],
  ],
  ["nothing of a superevent that is not rare enough", { labels: [], far: 3e-5 }, []],
  ["nothing of one that was found offline", { labels: [], offline: true }, []],
  ["nothing of another category", { labels: [], category: "MDC" }, []],
  ["a rate that is missing", { labels: CBC, far: null }, ["false_alarm_rate"]],
  ["a rate that cannot be one", { labels: CBC, far: -1 }, ["false_alarm_rate"]],
];

describe("of a superevent it reports", () => {
  test.each(rows)("%s", async (_sentence, row, expected) => {
    const server = await serve([
      supereventRow("S230831a", { created: CREATED, labels: CBC, ...row }),
    ]);
    expect(keysOf(await run(server, LATER))).toEqual({
      status: "complete",
      keys: expected.map((name) => `S230831a:${name}`),
    });
  });

  test("nothing before a deadline, without a further request", async () => {
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels: [] })]);
    const outcome = await run(server, "2023-08-31 08:05:00 UTC");
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect(server.requests).toHaveLength(1);
  });

  test("each missing product with its own deadline", async () => {
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels: [] })]);
    expect(keysOf(await run(server, "2023-08-31 08:05:01 UTC")).keys).toEqual([
      "S230831a:sky_map",
      "S230831a:p_astro",
    ]);
    expect(keysOf(await run(server, "2023-08-31 08:12:01 UTC")).keys).toEqual([
      "S230831a:sky_map",
      "S230831a:em_bright",
      "S230831a:p_astro",
    ]);
  });

  test("a row of 2019, which has no preferred event: only its sky map is expected", async () => {
    const { preferred_event_data: _, ...row } = supereventRow("S190521r", {
      created: CREATED,
      labels: [],
    });
    const server = await serve([row]);
    expect(keysOf(await run(server, LATER)).keys).toEqual(["S190521r:sky_map"]);
  });
});

describe("parameter estimation", () => {
  const significant: RowFacts = {
    created: "2023-08-29 08:00:00 UTC",
    labels: [...CBC, "SIGNIF_LOCKED"],
    far: 1e-9,
  };
  const cases: readonly [sentence: string, row: Partial<RowFacts>, at: string, keys: string[]][] = [
    ["takes two days", {}, "2023-08-31 08:16:00 UTC", []],
    // The products were there at their deadlines at the latest, and EM_READY at its own.
    ["is missing after them", {}, "2023-08-31 08:17:01 UTC", ["S230829a:parameter_estimation"]],
    ["is not expected of a frequent one", { far: 2e-6 }, "2023-08-31 10:00:00 UTC", []],
    [
      "is not expected of one that nobody is told of",
      { labels: CBC },
      "2023-08-31 10:00:00 UTC",
      [],
    ],
    ["is done", { labels: [...significant.labels, "PE_READY"] }, "2023-08-31 10:00:00 UTC", []],
  ];
  test.each(cases)("%s", async (_sentence, row, at, keys) => {
    const server = await serve([supereventRow("S230829a", { ...significant, ...row })]);
    expect(keysOf(await run(server, at))).toEqual({ status: "complete", keys });
  });

  test("is not expected any more once the superevent is retracted", async () => {
    const row = { ...significant, labels: [...significant.labels, "ADVNO"] };
    const server = await serve([supereventRow("S230829a", row)]);
    const advno = { name: "ADVNO", created: "2023-08-29 08:30:00 UTC" };
    server.labels.set("S230829a", [advno]);
    expect(keysOf(await run(server, "2023-08-31 10:00:00 UTC"))).toEqual({
      status: "complete",
      keys: [],
    });
  });
});

describe("what it says", () => {
  test("missing: what, since when and by when, with its owner's recipients", async () => {
    const labels = without("PASTRO_READY", "EM_READY");
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels })]);
    const owners = [{ owner: "source properties", recipients: ["pastro@example.org"] }];
    const outcome = await run(server, LATER, { owners });
    const [found] = outcome.detections;
    expect(outcome.levels.get("S230831a:p_astro")).toMatchObject({ severity: "error" });
    expect(found).toMatchObject({
      subject: "S230831a: p-astro (PASTRO_READY) is missing",
      recipients: ["pastro@example.org"],
      data: { state: "missing", superevent_id: "S230831a", pipeline: "gstlal" },
    });
    expect(found?.body).toContain("Expected by:   2023-08-31 08:05:00 UTC");
    expect(found?.body).toContain("Expected from: 2023-08-31 08:00:00 UTC");
    expect(found?.body).toContain("https://gracedb.ligo.org/superevents/S230831a/view/");
  });

  test("bad: the file is there, but not its label", async () => {
    const labels = without("SKYMAP_READY", "EM_READY");
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels })]);
    const entry = logEntry("2023-08-31 08:01:00 UTC", "bayestar.multiorder.fits");
    server.answers.set("superevents/S230831a/logs/", listResponse("log", [entry]));
    const [found] = (await run(server, LATER)).detections;
    expect(found).toMatchObject({
      dedupeKey: "S230831a:sky_map",
      subject: "S230831a: sky map (SKYMAP_READY) is unusable",
      body: expect.stringContaining("Unusable: bayestar.multiorder.fits has no label."),
      data: { state: "bad" },
    });
  });

  test("bad only once the label has had time to follow", async () => {
    const labels = without("SKYMAP_READY", "EM_READY");
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels })]);
    const entry = logEntry("2023-08-31 08:29:00 UTC", "bayestar.multiorder.fits");
    server.answers.set("superevents/S230831a/logs/", listResponse("log", [entry]));
    expect((await run(server, LATER)).detections[0]?.data).toMatchObject({ state: "missing" });
  });

  test("late: an event ends with by how much, which needs the exact time", async () => {
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels: CBC })]);
    server.labels.set("S230831a", [
      { name: "SKYMAP_READY", created: "2023-08-31 08:11:40 UTC" },
      { name: "EM_READY", created: "2023-08-31 08:12:00 UTC" },
    ]);
    const outcome = await run(server, LATER, {}, ["S230831a:sky_map"]);
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect([...outcome.clears]).toEqual([["S230831a:sky_map", "late by 400 s"]]);
    // The logs too: a file may have been in time.
    expect(server.requests.slice(1)).toEqual([
      "/api/superevents/S230831a/labels/",
      "/api/superevents/S230831a/logs/",
    ]);
  });

  test("what the labels date later than now is not there yet", async () => {
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels: CBC })]);
    server.labels.set("S230831a", [
      { name: "SKYMAP_READY", created: "2023-08-31 08:30:01 UTC" },
      { name: "EM_READY", created: "2023-08-31 08:30:01 UTC" },
    ]);
    const outcome = await run(server, LATER, {}, ["S230831a:sky_map"]);
    expect(keysOf(outcome).keys).toEqual(["S230831a:sky_map"]);
  });

  test("left the look-back: the event of a superevent that is too old for the list", async () => {
    const server = await serve([supereventRow("S230831a", { created: CREATED, labels: CBC })]);
    const firing = ["S230827a:sky_map", "S230830zz:sky_map"];
    const outcome = await run(server, LATER, {}, firing);
    expect([...outcome.clears]).toEqual([["S230827a:sky_map", "left the look-back"]]);
  });
});

describe("what could not be looked at", () => {
  const two = ["S230831a", "S230831b"].map((id) =>
    supereventRow(id, { created: CREATED, labels: without("SKYMAP_READY", "EM_READY") }),
  );

  const broken: readonly [sentence: string, answer: JsonObject | number, reason: string][] = [
    ["a log that is refused", 403, "403"],
    ["a log that the user may not see any more", 404, "404"],
    ["a log that is no list", { log: "none" }, 'log is "none", not a list'],
    ["a log that is cut short", { log: [], numRows: 3 }, "it has 0 of 3 rows"],
    ["a log with an unreadable time", { log: [{ created: "soon" }] }, 'created "soon"'],
  ];
  test.each(broken)("%s: only that superevent is unknown", async (_sentence, answer, reason) => {
    const server = await serve(two);
    server.answers.set("superevents/S230831a/logs/", answer);
    const outcome = await run(server, LATER);
    expect(keysOf(outcome).keys).toEqual(["S230831b:sky_map"]);
    expect([...outcome.scopes.keys()]).toEqual([answer === 403 ? "S230831a:" : "S230831a:sky_map"]);
    expect(JSON.stringify([...outcome.scopes.values()])).toContain(
      JSON.stringify(reason).slice(1, -1),
    );
  });

  test("times of labels matter only where they would decide something", async () => {
    const server = await serve([
      supereventRow("S230831a", { created: CREATED, labels: without("EM_READY") }),
      supereventRow("S230831b", { created: CREATED, labels: CBC }),
    ]);
    server.labelStatus = 403;
    const outcome = await run(server, LATER);
    // Whether EM_READY is overdue depends on when the products came.
    expect(keysOf(outcome).keys).toEqual([]);
    expect(server.requests.filter((path) => path.includes("labels"))).toEqual([
      "/api/superevents/S230831a/labels/",
    ]);
    expect([...outcome.scopes.keys()]).toEqual(["S230831a:"]);
  });

  test("a superevent without a readable time hides no other", async () => {
    const server = await serve([
      supereventRow("S230831a", { created: "yesterday", labels: [] }),
      ...two.slice(1),
    ]);
    const outcome = await run(server, LATER, {}, ["S230831a:sky_map"]);
    expect(keysOf(outcome).keys).toEqual(["S230831b:sky_map"]);
    expect([...outcome.scopes.keys()]).toEqual(["S230831a:"]);
    expect([...outcome.clears]).toEqual([]);
  });
});
