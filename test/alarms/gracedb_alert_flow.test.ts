import { describe, expect, onTestFinished, test } from "vitest";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import {
  type GracedbServer,
  recordedNotices,
  recordedSuperevents,
  startGracedb,
} from "./gracedb_server.ts";
import {
  CONFIRMED,
  LESS_SIGNIFICANT,
  PRODUCTS,
  recordsOf,
  serveRecords,
  type Timeline,
  timelineOf,
  without,
} from "./gracedb_timeline.ts";
import { keysOf, loadAlarm, runAlarm } from "./run_alarm.ts";

const ALARM = "gracedb_alert_flow";
const BEGAN = Date.UTC(2024, 4, 1, 12) / 1000;
const HOUR = 3600;

interface Given {
  readonly params?: JsonObject;
  readonly firing?: readonly string[];
  readonly previous?: JsonValue;
}

/** GraceDB as it is so many seconds after these superevents began. */
async function serve(
  timelines: { readonly [id: string]: Timeline },
  seconds: number,
): Promise<GracedbServer> {
  const server = await serveRecords(
    Object.entries(timelines).map(([id, timeline]) => recordsOf(id, BEGAN, timeline, seconds)),
  );
  onTestFinished(() => server.close());
  return server;
}

async function run(server: GracedbServer, now: number, given: Given = {}) {
  const { params = {}, ...rest } = given;
  return await runAlarm({ alarm: ALARM, params, sources: { gracedb: server.url }, now, ...rest });
}

/** What was requested behind the list of superevents. */
function details(server: GracedbServer): readonly string[] {
  return server.requests.flatMap((path) => /superevents\/(\w+\/\w+)\/$/.exec(path)?.[1] ?? []);
}

test("it needs GraceDB, and has the stages of an alert", async () => {
  const { sources, stages } = await loadAlarm(ALARM);
  expect({ sources, stages }).toEqual({
    sources: ["gracedb"],
    stages: ["preliminary", "initial", "update"],
  });
});

describe("what is missing, late, unusable, or cannot be checked, is said in different words", () => {
  test("missing", async () => {
    const seconds = 2200;
    const server = await serve({ S240501a: without(CONFIRMED, "IN") }, seconds);
    const outcome = await run(server, BEGAN + seconds);
    expect(outcome.detections).toMatchObject([
      {
        dedupeKey: "S240501a:initial",
        subject: "S240501a: initial notice is missing",
        body: expect.stringContaining("The candidate was confirmed (ADVOK)"),
        data: { state: "missing", superevent_id: "S240501a", group: "CBC", far: 1e-9 },
      },
    ]);
    expect(outcome.status).toBe("complete");
    expect(outcome.levels.get("S240501a:initial")).toEqual({ severity: "error", stage: "initial" });
  });

  test("late: the event ends with by how much", async () => {
    const late = {
      ...CONFIRMED,
      notices: [
        ["PR", 55],
        ["PR", 345],
        ["IN", 2231],
      ],
    } as const;
    const server = await serve({ S240501a: late }, 2300);
    const outcome = await run(server, BEGAN + 2300, { firing: ["S240501a:initial"] });
    expect(keysOf(outcome).keys).toEqual([]);
    expect([...outcome.clears]).toEqual([["S240501a:initial", "late by 131 s"]]);
    const untold = await run(server, BEGAN + 2300);
    expect([...untold.clears]).toEqual([]);
    expect(untold.notes).toEqual(["S240501a: initial notice came 131 s late"]);
  });

  test("unusable: a notice that was created, but not sent", async () => {
    const unsent: Timeline = {
      labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31 },
      notices: [["PR", 55]],
    };
    const server = await serve({ S240501a: unsent }, HOUR);
    expect((await run(server, BEGAN + HOUR)).detections).toMatchObject([
      {
        subject: "S240501a: preliminary notice is unusable",
        body: expect.stringContaining(
          "Unusable: created, but not sent: the label GCN_PRELIM_SENT is missing. Astronomers",
        ),
      },
    ]);
  });

  test("not checked: only that superevent stays as it is", async () => {
    const server = await serve(
      { S240501a: without(CONFIRMED, "IN"), S240501b: without(CONFIRMED, "IN") },
      2200,
    );
    server.answers.set("superevents/S240501a/voevents/", 403);
    const outcome = await run(server, BEGAN + 2200, { firing: ["S240501a:initial"] });
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["S240501b:initial"] });
    expect([...outcome.scopes].map(([prefix, { reason }]) => `${prefix} ${reason}`)).toEqual([
      expect.stringMatching(
        /^S240501a: GET \/api\/superevents\/S240501a\/voevents\/ from gracedb: .*403/,
      ),
    ]);
  });

  test("not checked: a list that GraceDB does not have, and one that cannot be read", async () => {
    const server = await serve({ S240501a: without(CONFIRMED, "IN") }, 2200);
    server.answers.set("superevents/S240501a/voevents/", 404);
    expect([...(await run(server, BEGAN + 2200)).scopes.keys()]).toEqual(["S240501a:initial"]);
    server.answers.set("superevents/S240501a/voevents/", {
      voevents: [{ voevent_type: "IN", created: "soon" }],
    });
    expect((await run(server, BEGAN + 2200)).scopes.get("S240501a:initial")?.reason).toBe(
      'could not check S240501a:initial: the response of superevents/S240501a/voevents/ cannot be read: a row was created "soon"',
    );
  });
});

describe("lists are requested only while they decide something", () => {
  const rows: readonly [sentence: string, Timeline, seconds: number, readonly string[]][] = [
    ["none before a deadline", { labels: {} }, 290, []],
    ["none for a missing product, which the row shows", { labels: {} }, HOUR, []],
    ["none once people have decided, until the initial notice may be due", CONFIRMED, 590, []],
    [
      "the times of labels and the notices when it may be due",
      CONFIRMED,
      3 * HOUR,
      ["S1/labels", "S1/voevents"],
    ],
    [
      "the notices of a less significant one after the second may be due",
      LESS_SIGNIFICANT,
      HOUR,
      ["S1/voevents"],
    ],
    [
      "the log too if the second is missing",
      { ...LESS_SIGNIFICANT, notices: [["PR", 55]] },
      HOUR,
      ["S1/labels", "S1/voevents", "S1/logs"],
    ],
  ];
  test.each(rows)("%s", async (_sentence, timeline, seconds, requested) => {
    const server = await serve({ S1: timeline }, seconds);
    await run(server, BEGAN + seconds);
    expect([...details(server)].sort()).toEqual([...requested].sort());
  });

  test("what an earlier tick has seen is not requested again", async () => {
    const server = await serve({ S1: CONFIRMED, S2: LESS_SIGNIFICANT }, 3 * HOUR);
    const { memory } = await run(server, BEGAN + 3 * HOUR);
    const count = server.requests.length;
    const outcome = await run(server, BEGAN + 3 * HOUR + 60, {
      previous: JSON.parse(memory ?? ""),
    });
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect([count, server.requests.length - count]).toEqual([4, 1]);
  });

  test("what an earlier tick has not seen is requested again", async () => {
    const server = await serve({ S1: without(CONFIRMED, "IN") }, 2200);
    const { memory } = await run(server, BEGAN + 2200);
    const { voevents } = recordsOf("S1", BEGAN, {
      ...CONFIRMED,
      notices: [
        ["PR", 55],
        ["IN", 2290],
      ],
    });
    server.answers.set("superevents/S1/voevents/", voevents);
    const outcome = await run(server, BEGAN + 2300, {
      previous: JSON.parse(memory ?? ""),
      firing: ["S1:initial"],
    });
    expect([...outcome.clears]).toEqual([["S1:initial", "late by 190 s"]]);
  });
});

describe("the look-back", () => {
  test("an event whose superevent has left it ends and says so", async () => {
    const server = await serve({ S240501a: CONFIRMED }, 3 * HOUR);
    const outcome = await run(server, BEGAN + 30 * HOUR, { firing: ["S240501a:initial"] });
    expect([...outcome.clears]).toEqual([["S240501a:initial", "left the look-back"]]);
    expect(server.requests).toHaveLength(1);
  });

  test("a row that cannot be read ends nothing", async () => {
    const server = await serve({ S240501a: { ...CONFIRMED, row: { labels: "none" } } }, HOUR);
    const outcome = await run(server, BEGAN + 30 * HOUR, { firing: ["S240501a:initial"] });
    expect(outcome).toMatchObject({
      status: "partial",
      reasons: ['superevent S240501a has no readable labels: "none"'],
    });
    expect([...outcome.clears]).toEqual([]);
  });

  test("is as long as the last deadline needs", async () => {
    const server = await serve({ S240501a: without(CONFIRMED, "ADVOK", "IN") }, 25 * HOUR);
    const params = { look_back_hours: 1, decision_minutes: 24 * 60 };
    const outcome = await run(server, BEGAN + 25 * HOUR, { params });
    expect(keysOf(outcome).keys).toEqual(["S240501a:decision"]);
  });
});

test("only the categories that were asked for are followed", async () => {
  const mock = { ...without(CONFIRMED, "IN", "DQOK"), row: { category: "MDC" } };
  const server = await serve({ MS240501a: mock }, 2200);
  expect(keysOf(await run(server, BEGAN + 2200)).keys).toEqual([]);
  const params = { categories: ["MDC"] };
  expect(keysOf(await run(server, BEGAN + 2200, { params })).keys).toEqual(["MS240501a:initial"]);
});

/** Requests that GraceDB allows in a minute without a login. */
const ANONYMOUS = 300;

const LISTS = [
  { snapshot: "4242c4c", now: "2023-08-31 09:04:11 UTC", waiting: "MS230831i" },
  { snapshot: "7ab5bfa", now: "2023-09-26 02:36:47 UTC", waiting: undefined },
];

describe.each(LISTS)("on the recorded list $snapshot", ({ snapshot, now, waiting }) => {
  const rows = recordedSuperevents(snapshot) ?? [];
  if (rows.length === 0) console.log(`skipped: no recorded list ${snapshot} beside the checkout`);
  const params = { categories: ["Production", "MDC"], look_back_hours: 48 };

  /** The notices and times that its labels stand for, which were not recorded. */
  async function serveList(given: readonly JsonObject[]): Promise<GracedbServer> {
    const all = given.map((row) =>
      recordsOf(String(row.superevent_id), parseUtc(row.created) ?? 0, timelineOf(row)),
    );
    const server = await serveRecords(all);
    onTestFinished(() => server.close());
    return server;
  }

  test.skipIf(rows.length === 0)("nothing fires, within the anonymous limit", async () => {
    const server = await serveList(rows);
    const outcome = await run(server, parseUtc(now) ?? 0, { params });
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect(outcome.scopes.size).toBe(0);
    const first = server.requests.length;
    await run(server, parseUtc(now) ?? 0, { params, previous: JSON.parse(outcome.memory ?? "") });
    console.log(
      `requests on ${snapshot}: ${first} in the first tick, ${server.requests.length - first} in the next`,
    );
    expect(first).toBeLessThan(ANONYMOUS);
    expect(server.requests.length - first).toBeLessThan(5);
  });

  test.skipIf(rows.length === 0)("a decision that takes longer than it may fires", async () => {
    const server = await serveList(rows);
    const outcome = await run(server, parseUtc(now) ?? 0, {
      params: { ...params, decision_minutes: 15 },
    });
    const keys = waiting === undefined ? [] : [`${waiting}:decision`];
    expect(keysOf(outcome).keys.filter((key) => key.endsWith(":decision"))).toEqual(keys);
  });

  test.skipIf(rows.length === 0)("what is taken away fires, and nothing else", async () => {
    const gone = new Map([
      ["DQOK", "data_quality"],
      ["LOW_SIGNIF_PRELIM_SENT", "less_significant"],
      ["LOW_SIGNIF_LOCKED", "less_significant_locked"],
      ["PASTRO_READY", "p_astro"],
    ]);
    const candidates = rows.filter(
      ({ category, far, preferred_event_data: preferred }) =>
        category === "Production" &&
        Number(far) > 1e-7 &&
        Number(far) < 3.3e-6 &&
        JSON.stringify(preferred).includes('"CBC"'),
    );
    expect(candidates.length).toBeGreaterThan(0);
    for (const candidate of candidates)
      for (const [label, name] of gone) {
        const changed = rows.map((row) => {
          if (row !== candidate) return row;
          const text = JSON.stringify(row).replaceAll(`"${label}"`, '"OTHER"');
          const changes: JsonObject = JSON.parse(text);
          return changes;
        });
        const server = await serveList(changed);
        const outcome = await run(server, parseUtc(now) ?? 0, { params });
        expect(keysOf(outcome).keys).toEqual([`${candidate.superevent_id}:${name}`]);
      }
  });
});

const RECORDED = [
  {
    name: "S190521r_voevents",
    id: "S190521r",
    confirmed: "2019-05-21 08:17:00 UTC",
    now: "2019-05-21 12:00:00 UTC",
    keys: [],
  },
  // The initial notice of 06:31:44 came 31 min 44 s after this decision; the second of 06:57:41 is not the first.
  {
    name: "S190517h_voevents_rows",
    id: "S190517h",
    confirmed: "2019-05-17 06:00:00 UTC",
    now: "2019-05-17 12:00:00 UTC",
    keys: ["S190517h:initial"],
  },
];

test.each(RECORDED)("the recorded notices of $id, by when it was confirmed", async (given) => {
  const voevents = recordedNotices(given.name);
  if (voevents === undefined) return console.log(`skipped: no recorded ${given.name}`);
  const began = (parseUtc(given.confirmed) ?? 0) - 1800;
  const { row, labels } = recordsOf(given.id, began, {
    labels: { ...PRODUCTS, DQOK: 30, GCN_PRELIM_SENT: 400, ADVOK: 1800 },
    row: { preferred_event_data: null },
  });
  const server = await startGracedb([row]);
  onTestFinished(() => server.close());
  server.labels.set(given.id, labels);
  server.answers.set(`superevents/${given.id}/voevents/`, { voevents: [...voevents] });
  const outcome = await run(server, parseUtc(given.now) ?? 0, { firing: [`${given.id}:initial`] });
  expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
  expect([...outcome.clears.keys()]).toEqual(given.keys);
  if (given.keys.length > 0) expect([...outcome.clears.values()]).toEqual(["late by 1304 s"]);
});
