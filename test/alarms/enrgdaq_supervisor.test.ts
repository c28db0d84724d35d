import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { type DaqState, type JobFacts, logLine, statusOf } from "./enrgdaq_server.ts";
import { keysOf } from "./run_alarm.ts";
import { subjectsOf, watchDaq } from "./watch_daq.ts";

const ALARM = "enrgdaq_supervisor";
const NOTHING = { required_jobs: [] };

/** A tick of one client, "det1": its jobs, and what else there is. */
interface Tick {
  readonly at: number;
  readonly jobs?: readonly JobFacts[];
  readonly restarts?: { readonly [type: string]: string };
  readonly state?: Partial<DaqState>;
}

/** The keys that each tick detects. */
async function keysAt(ticks: readonly Tick[], params: JsonObject = {}) {
  const { daq, look } = await watchDaq(ALARM, { ...NOTHING, ...params });
  const keys: (readonly string[])[] = [];
  for (const { at, jobs = [], restarts = {}, state = {} } of ticks) {
    const status = statusOf("det1", jobs, restarts);
    daq.clients.set("det1", { lastSeen: `at ${at}`, status, logs: [], ...state });
    const outcome = await look(at);
    expect(outcome.reasons).toEqual([]);
    keys.push(outcome.detections.map(({ dedupeKey }) => dedupeKey));
  }
  return keys;
}

const T = "DAQJobTest";

/** Ticks in a row, five minutes apart: the job's facts at each. */
function ticks(...jobs: readonly (JobFacts | undefined)[]): readonly Tick[] {
  return jobs.map((job, index) => ({ at: index * 300, jobs: job === undefined ? [] : [job] }));
}

/** The job after so many restarts, with three messages a second. */
function run(restarts: number, tick: number, more: Partial<JobFacts> = {}): JobFacts {
  return { type: T, instance: restarts, uniqueId: `id${restarts}`, out: tick * 900, ...more };
}

const RESTARTS = `client:det1:job:${T}:restarts`;
const MISSING = `client:det1:job:${T}:missing`;
const OUT = `client:det1:job:${T}:stalled_out`;

describe("what the last of these ticks reports", () => {
  const rows: readonly [
    sentence: string,
    ticks: readonly Tick[],
    last: readonly string[],
    params?: JsonObject,
  ][] = [
    ["nothing while a job runs", ticks(run(0, 0), run(0, 1), run(0, 2)), []],
    ["nothing of one restart", ticks(run(0, 0), run(1, 1), run(1, 2)), []],
    [
      "three restarts, each seen by a tick",
      ticks(run(0, 0), run(1, 1), run(2, 2), run(3, 3)),
      [RESTARTS],
    ],
    [
      "two that are seen, of a job that was started a hundred times",
      ticks(run(0, 0), run(50, 1), run(100, 2)),
      [RESTARTS],
    ],
    [
      "nothing of a job that restarted once while another one was started a hundred times",
      ticks(run(0, 0), run(100, 1), run(100, 2)),
      [],
    ],
    [
      "falling counts of a job whose configuration sets its id",
      ticks(...[9000, 8000, 7000, 6000].map((out) => run(0, 0, { out }))),
      [RESTARTS],
    ],
    [
      "restarts that are long ago no more",
      [...ticks(run(0, 0), run(1, 1), run(2, 2), run(3, 3)), { at: 2400, jobs: [run(3, 8)] }],
      [],
    ],
    [
      "a job that waits for its restart, at the first look too",
      [{ at: 0, restarts: { [T]: "2026-11-20T15:48:09" } }],
      [RESTARTS],
    ],
    [
      "one that is always seen while it waits, each time for another restart",
      [0, 300, 600].map((at) => ({ at, restarts: { [T]: `r${at}` } })),
      [RESTARTS],
    ],
    ["a job that is not there any more", ticks(run(0, 0), undefined), [MISSING]],
    ["a job that came back no more", ticks(run(0, 0), undefined, run(1, 2)), []],
    [
      "of a job that waits for its restart not that it is missing",
      [...ticks(run(0, 0)), { at: 300, restarts: { [T]: "soon" } }],
      [RESTARTS],
    ],
    [
      "that one of two is missing",
      [
        { at: 0, jobs: [run(0, 0), run(1, 0)] },
        { at: 300, jobs: [run(1, 1)] },
      ],
      [MISSING],
    ],
    [
      "nothing of two jobs that write one row of counts by turns",
      [0, 5, 2, 6, 1].map((out, tick) => ({
        at: tick * 300,
        jobs: [run(0, 0, { out, rss: 5000 }), run(1, 0, { out, rss: 5000 })],
      })),
      [],
    ],
    ["a job that stopped to send", ticks(...[0, 1, 1, 1].map((tick) => run(0, tick))), [OUT]],
    ["no rate after one tick", ticks(run(0, 0)), []],
    [
      "no rate of ticks that are close together",
      [0, 100].map((at) => ({ at, jobs: [run(0, 0)] })),
      [],
    ],
    [
      "no rate over a restart just before the tick",
      ticks(run(0, 0), run(0, 1), run(1, 2, { out: 9 })),
      [],
    ],
    [
      "a job that only sends its heartbeats, by a limit of its own",
      ticks(...[0, 1, 2, 3].map((tick) => run(0, 0, { out: tick * 600 }))),
      [OUT],
      { jobs: [{ job: T, out_per_second: 2.5 }] },
    ],
    [
      "by the limit of the client before that of all",
      ticks(...[0, 1, 2, 3].map((tick) => run(0, 0, { out: tick * 600 }))),
      [],
      {
        jobs: [
          { job: T, out_per_second: 2.5 },
          { job: T, client: "det1", out_per_second: 1 },
        ],
      },
    ],
    [
      "a store that receives nothing",
      ticks(...[0, 1, 2, 3].map((tick) => run(0, tick, { in: 7 }))),
      [`client:det1:job:${T}:stalled_in`],
      { jobs: [{ job: T, in_per_second: 1 }] },
    ],
    [
      "no rate of a job whose counts are not there yet",
      ticks(run(0, 0, { out: null }), run(0, 0, { out: null }), run(0, 0)),
      [],
    ],
    [
      "a job that never gets counts",
      ticks(...Array.from({ length: 5 }, () => run(0, 0, { out: null }))),
      [OUT],
    ],
    [
      "no rate over a gap",
      [
        { at: 0, jobs: [run(0, 0)] },
        { at: 9000, jobs: [run(0, 20)] },
        { at: 9200, jobs: [run(0, 20)] },
      ],
      [],
    ],
    ["a job that needs memory", ticks(run(0, 0, { rss: 1001 })), [`client:det1:job:${T}:memory`]],
    [
      "a client whose heartbeat is still the same",
      [0, 60].map((at) => ({ at, jobs: [run(0, 0)], state: { lastSeen: "frozen" } })),
      ["client:det1:contact"],
    ],
    [
      "nothing of one whose heartbeat has not changed for half a minute",
      [0, 30].map((at) => ({ at, jobs: [run(0, 0)], state: { lastSeen: "frozen" } })),
      [],
    ],
    [
      "an older heartbeat time like any other: clocks are put back",
      [60, 0].map((at, index) => ({
        at: index * 300,
        jobs: [run(0, index)],
        state: { lastSeen: `${at}` },
      })),
      [],
    ],
    [
      "a job that was started by hand under its own name",
      [
        { at: 0, jobs: [run(0, 0), run(1, 0, { supervisor: "remote_custom" })] },
        { at: 300, jobs: [run(0, 1)] },
      ],
      ["client:det1:job:remote_custom/DAQJobTest:missing"],
    ],
  ];
  test.each(rows)("%s", async (_sentence, given, last, params) => {
    expect((await keysAt(given, params)).at(-1)).toEqual(last);
  });
});

const ERRORS = "client:det1:errors";
const error = (second: number) => logLine("ERROR", "it broke", `t${second}`);
const info = (second: number) => logLine("INFO", "fine", `t${second}`);

test.each([
  ["nothing is new in the first log of all", [[error(1)]], [[]]],
  ["a new error is", [[error(1)], [error(1), error(2)]], [[], [ERRORS]]],
  ["an information is not", [[error(1)], [error(1), info(2)]], [[], []]],
  [
    "an error counts once, until the window has passed",
    [[], [error(1)], [error(1)], [error(1)], [error(1)], [error(1)], [error(1)]],
    [[], [ERRORS], [ERRORS], [ERRORS], [ERRORS], [], []],
  ],
  ["the same text again is another error", [[error(1)], [error(1), error(1)]], [[], []]],
  ["all is new after a restart of the service", [[error(1), info(2)], [error(3)]], [[], [ERRORS]]],
  [
    "an earlier time may be new: clocks are put back",
    [[error(5)], [error(5), error(2)]],
    [[], [ERRORS]],
  ],
] as const)("of errors in a log, %s", async (_sentence, logs, keys) => {
  const given = logs.map((lines, tick) => ({ at: tick * 300, state: { logs: lines } }));
  expect(await keysAt(given)).toEqual(keys);
});

test("the log of a client that comes later is all new", async () => {
  const { daq, look } = await watchDaq(ALARM, NOTHING);
  daq.clients.set("main", { lastSeen: "1", status: statusOf("main", []), logs: [error(1)] });
  expect(keysOf(await look(0)).keys).toEqual([]);
  daq.clients.set("det1", { lastSeen: "1", status: statusOf("det1", []), logs: [error(1)] });
  daq.clients.set("main", { lastSeen: "2", status: statusOf("main", []), logs: [error(1)] });
  const outcome = await look(300);
  expect(keysOf(outcome).keys).toEqual([ERRORS]);
  expect(outcome.detections[0]?.body).toContain("1 x Supervisor(daq-det1), the last at t1");
});

test("errors after which none came for the window end with these words", async () => {
  const { daq, look } = await watchDaq(ALARM, { ...NOTHING, window_minutes: 20 });
  const set = (logs: DaqState["logs"]) =>
    daq.clients.set("det1", { status: statusOf("det1", []), logs });
  set([]);
  await look(0);
  set([error(1)]);
  expect((await look(300)).detections).toMatchObject([
    { subject: "det1 logged an error in 20 min" },
  ]);
  await look(600);
  expect((await look(1800)).goneReasons?.get(ERRORS.replace("daq-det1", "det1"))).toBe(
    "0 errors in the last 20 min",
  );
});

test("a client of which the service has no log has no errors; a log that cannot be read is no empty one", async () => {
  const { daq, look } = await watchDaq(ALARM, NOTHING);
  const set = (logs: DaqState["logs"]) =>
    daq.clients.set("det1", { status: statusOf("det1", []), logs });
  set(undefined);
  expect((await look(0)).scopes.size).toBe(0);
  set([error(1)]);
  expect(keysOf(await look(300)).keys).toEqual([ERRORS]);
  set("down");
  const { keys, scopes } = await look(600);
  expect([[...keys], [...scopes.keys()]]).toEqual([[ERRORS], [ERRORS]]);
});

test("a job that is gone for good ends, with words", async () => {
  const { daq, look } = await watchDaq(ALARM, { ...NOTHING, forget_hours: 1 });
  const at = async (now: number, jobs: readonly JobFacts[]) => {
    daq.clients.set("det1", { lastSeen: `at ${now}`, status: statusOf("det1", jobs), logs: [] });
    const { keys, clears, status } = await look(now);
    return { keys: [...keys], clears: [...clears], status };
  };
  const status = "complete";
  expect(await at(0, [run(0, 0)])).toEqual({ keys: [], clears: [], status });
  expect(await at(3600, [])).toEqual({ keys: [MISSING], clears: [], status });
  const clears = [[MISSING, "not there for 1 h: not expected any more"]];
  expect(await at(3660, [])).toEqual({ keys: [], clears, status });
  expect(await at(3720, [])).toEqual({ keys: [], clears: [], status });
});

test("a job that went while no tick ran for days is reported all the same", async () => {
  const { daq, look } = await watchDaq(ALARM, NOTHING);
  const set = (jobs: readonly JobFacts[]) =>
    daq.clients.set("det1", { status: statusOf("det1", jobs), logs: [] });
  set([run(0, 0)]);
  await look(0);
  set([]);
  expect(keysOf(await look(200_000)).keys).toEqual([MISSING]);
  expect([...(await look(200_300)).clears.keys()]).toEqual([MISSING]);
});

test("a client that is not listed any more keeps its events, and ends with words", async () => {
  const { daq, look } = await watchDaq(ALARM, {
    ...NOTHING,
    forget_hours: 1,
    expected_clients: ["main", "det9"],
  });
  const set = (id: string, jobs: readonly JobFacts[]) => (now: number) =>
    daq.clients.set(id, { lastSeen: `at ${now}`, status: statusOf(id, jobs), logs: [] });
  set("main", [])(0);
  set("det1", [{ type: T, rss: 5000 }])(0);
  const never = "client:det9:contact";
  expect(keysOf(await look(0)).keys).toEqual([`client:det1:job:${T}:memory`, never]);
  daq.clients.delete("det1");
  set("main", [])(3600);
  const gone = await look(3600);
  expect([...gone.keys].toSorted()).toEqual(["client:det1:contact", never]);
  expect([...gone.scopes.keys()]).toEqual(["client:det9:", "client:det1:"]);
  expect(subjectsOf(gone)).toContain("the service does not list det1 any more");
  set("main", [])(3660);
  const { keys, clears } = await look(3660);
  expect([...keys]).toEqual([never]);
  expect([...clears.keys()].toSorted()).toEqual([
    "client:det1:contact",
    `client:det1:job:${T}:memory`,
  ]);
});

describe("a client that does not answer", () => {
  const both = async (status: DaqState["status"]) => {
    const { daq, look } = await watchDaq(ALARM, NOTHING);
    const set = (id: string, now: number, given: DaqState["status"]) =>
      daq.clients.set(id, { lastSeen: `at ${now}`, status: given, logs: [] });
    const sick = (id: string) => statusOf(id, [{ type: T, rss: 5000 }]);
    for (const id of ["det1", "det10"]) set(id, 0, sick(id));
    expect((await look(0)).detections).toHaveLength(2);
    set("det1", 300, status);
    set("det10", 300, statusOf("det10", [{ type: T, out: 1000 }]));
    return { daq, outcome: await look(300) };
  };
  test.each([
    ["an error of the service", 502, "502"],
    ["a 404 of the service", 404, "404"],
    ["a status without jobs", { daq_job_stats: {} }, "daq_jobs undefined"],
    ["a job without a type", { daq_jobs: [{}], restart_schedules: [] }, "the job an object"],
    ["a list", [], "daq_jobs undefined"],
    ["null", null, "daq_jobs undefined"],
  ] satisfies [string, DaqState["status"], string][])(
    "in a way that can be used, but with %s: only its own events stay as they are",
    async (_what, status, words) => {
      const { outcome } = await both(status);
      expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["client:det1:contact"] });
      expect([...outcome.scopes]).toMatchObject([["client:det1:", { isReported: true }]]);
      expect(outcome.scopes.get("client:det1:")?.reason).toContain(words);
      expect(subjectsOf(outcome)[0]).toContain(words);
    },
  );

  test("for thirty seconds costs five, and only its own events", { timeout: 60_000 }, async () => {
    const { outcome } = await both("dead");
    expect(subjectsOf(outcome)[0]).toContain("no response within 5 s");
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["client:det1:contact"] });
    expect([...outcome.scopes.keys()]).toEqual(["client:det1:"]);
  });

  test("is not asked once it is silent, and its log is", async () => {
    const { daq, look } = await watchDaq(ALARM, NOTHING);
    daq.clients.set("det1", { lastSeen: "frozen", status: 502, logs: [] });
    await look(0);
    daq.requests.length = 0;
    const outcome = await look(300);
    expect(daq.requests).toEqual(["/clients", "/clients/det1/logs"]);
    expect(subjectsOf(outcome)).toEqual([
      "det1 has been silent for at least 300 s: its heartbeat is still that of frozen (its local time)",
    ]);
  });
});

test.each([
  ["a slash", "a/b", "client:a/b:contact"],
  ["a blank and a colon", "a: b", undefined],
  ["signs beyond ASCII", "d\u00e9t\u{1f600}", undefined],
  ["a percent sign", "50%2Fx", undefined],
  ["dots", "..", "client:..:contact"],
  ["nothing", "", undefined],
  ["half a character", "\ud800", "client:\ud800:contact"],
  ["the name of a prototype", "__proto__", undefined],
])("a client whose id has %s is one of several", async (_what, id, contact) => {
  const { daq, look } = await watchDaq(ALARM, NOTHING);
  const status = (of: string) => statusOf(of, [{ type: T, rss: 5000 }]);
  for (const each of [id, "det1"])
    daq.clients.set(each, { lastSeen: "1", status: status(each), logs: [] });
  const { keys, scopes, status: state } = await look(0);
  expect(state).toBe("complete");
  expect(keys).toContain(`client:det1:job:${T}:memory`);
  expect(keys.size).toBe(2);
  if (contact !== undefined) expect([...keys].at(0)).toContain("contact");
  expect([...scopes.keys()].filter((scope) => scope.startsWith("client:det1:"))).toEqual([]);
});

describe("what the DAQ as a whole lacks", () => {
  const store = { type: "DAQJobStoreCSV" };
  const alert = { type: "DAQJobAlertSlack" };
  test.each([
    ["nothing", [store, alert], {}, []],
    ["nothing while one waits for its restart", [alert], { DAQJobStoreCSV: "soon" }, []],
    ["a store", [alert, { type: "DAQJobHandleStats" }], {}, ["kind:DAQJobStore"]],
    [
      "one that sends alerts, which a writer of alerts does not",
      [store, { type: "DAQJobHandleAlerts" }],
      {},
      ["kind:DAQJobAlert"],
    ],
  ] as const)("%s", async (_what, jobs, restarts, kinds) => {
    const keys = await keysAt([{ at: 0, jobs, restarts }], {
      required_jobs: ["DAQJobStore", "DAQJobAlert"],
    });
    expect(keys.at(-1)?.filter((key) => key.startsWith("kind:"))).toEqual(kinds);
  });

  test("stays as it is while a client does not answer", async () => {
    const { daq, look } = await watchDaq(ALARM, { required_jobs: ["DAQJobStore"] });
    const set = (now: number, main: readonly JobFacts[], det1: readonly JobFacts[] | number) => {
      daq.clients.set("main", { lastSeen: `${now}`, status: statusOf("main", main), logs: [] });
      const status = typeof det1 === "number" ? det1 : statusOf("det1", det1);
      daq.clients.set("det1", { lastSeen: `${now}`, status, logs: [] });
    };
    const kinds = async (now: number) =>
      [...(await look(now)).keys].filter((key) => key.startsWith("kind:"));
    set(0, [], 502);
    expect(await kinds(0)).toEqual([]);
    set(300, [], []);
    expect(await kinds(300)).toEqual(["kind:DAQJobStore"]);
    set(600, [], 502);
    expect(await kinds(600)).toEqual(["kind:DAQJobStore"]);
    set(900, [], [store]);
    expect(await kinds(900)).toEqual([]);
    // What it had counts.
    set(1200, [], 502);
    expect(await kinds(1200)).toEqual([]);
  });
});

test.each([
  ["a list", []],
  ["a text", "down for maintenance"],
  ["null", null],
])("clients that are %s fail the run", async (_what, body) => {
  const { daq, look } = await watchDaq(ALARM, NOTHING);
  daq.clients.set("det1", { lastSeen: 5, status: 404 });
  const unreadable = await look(0);
  expect(unreadable.scopes.get("client:det1:")?.reason).toContain("no last_seen");
  daq.answer = body;
  expect(await look(0)).toMatchObject({
    status: "failed",
    reasons: [expect.stringContaining("/clients is")],
  });
});

test("a row of the table that is for no job is noted", async () => {
  const { daq, look } = await watchDaq(ALARM, {
    ...NOTHING,
    jobs: [{ job: "DAQJobTset" }, { job: T }, { job: T, client: "det2" }],
  });
  daq.clients.set("det1", { lastSeen: "1", status: statusOf("det1", [{ type: T }]), logs: [] });
  expect((await look(0)).notes).toEqual([
    "jobs[0] is not used: no job DAQJobTset is known",
    "jobs[2] is not used: no job DAQJobTest is known of det2",
  ]);
  const later = await look(9000);
  expect(later.notes[0]).toContain("the tick before was 150 min ago, longer than window_minutes");
});
