import { describe, expect, test } from "vitest";
import { writeAnswer, writeFault } from "../../src/source/xmlrpc/write_answer.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { recordedAnswers } from "../support/supervisord_answers.ts";
import {
  type Answers,
  answers,
  configured,
  fakeSupervisor,
  row,
  SHUTDOWN,
  THEN,
} from "./fake_supervisors.ts";
import { loadAlarm } from "./run_alarm.ts";
import { scopesOf, subjectsOf, supervisordTicks } from "./supervisord_processes_ticks.ts";

const QUICK = "Exited too quickly (process log may have details)";

/** A supervisor at a time: seconds after the first tick, with its answers. */
type Look = readonly [seconds: number, given: Answers];

/** What the alarm says in the last of these ticks. */
async function lastOf(looks: readonly Look[], params: JsonObject = {}) {
  const tick = await supervisordTicks(params);
  let outcome = await tick(THEN, {
    supervisord: fakeSupervisor("supervisord", looks[0]?.[1] ?? {}),
  });
  for (const [seconds, given] of looks.slice(1))
    outcome = await tick(THEN + seconds, { supervisord: fakeSupervisor("supervisord", given) });
  return outcome;
}

/** A program at a time, by the supervisor's clock, which may be another one than the engine's. */
function at(seconds: number, fields: JsonObject, clock = 0): Look {
  return [seconds, answers([row("daq", { now: THEN + seconds + clock, ...fields })])];
}

test("it needs the source supervisord, and nothing else", async () => {
  const { sources, params } = await loadAlarm("supervisord_processes");
  expect(sources).toEqual(["supervisord"]);
  expect(Object.values(params).filter(({ required }) => required === true)).toEqual([]);
});

describe("a program over several polls", () => {
  /** One of its processes, as the poll after so many seconds sees it. */
  const alive = (seconds: number, pid: number, state = "RUNNING"): Look =>
    at(seconds, { pid, start: THEN + seconds - 2, stop: THEN + seconds - 3, statename: state });
  const backoff = (seconds: number, clock = 0): Look =>
    at(seconds, { pid: 0, statename: "BACKOFF", spawnerr: QUICK, start: THEN + seconds }, clock);
  const LOOP = "supervisord: daq was started again 3 times in 30 min, now";
  type Row = readonly [
    sentence: string,
    looks: readonly Look[],
    expected: { readonly [key: string]: string },
  ];
  const rows: readonly Row[] = [
    ["that runs is not reported", [at(0, {}), at(300, {}), at(600, {})], {}],
    [
      "that restarted three times is, although it is RUNNING with exit status 0 in each",
      [alive(0, 11), alive(300, 12), alive(600, 13), alive(900, 14)],
      { "supervisord:daq:daq:restarts": `${LOOP} RUNNING` },
    ],
    [
      "that restarted twice is not",
      [alive(0, 11), alive(300, 12), alive(600, 13), at(900, { pid: 13, start: THEN + 598 })],
      {},
    ],
    [
      "whose restarts are spread over more time is not",
      [alive(0, 11), alive(1200, 12), alive(2400, 13), alive(3600, 14)],
      {},
    ],
    [
      "that is seen without a process in between restarted once",
      [
        alive(0, 11),
        at(300, { pid: 0, statename: "EXITED", stop: THEN + 299, spawnerr: "Bad exit code 3" }),
        alive(600, 12),
        at(900, { pid: 0, statename: "EXITED", stop: THEN + 899, spawnerr: "Bad exit code 3" }),
        alive(1200, 13),
      ],
      {},
    ],
    [
      "that is seen in the middle of a start restarted too",
      [alive(0, 11), alive(300, 12, "STARTING"), alive(600, 13), alive(900, 14, "STARTING")],
      { "supervisord:daq:daq:restarts": `${LOOP} STARTING` },
    ],
    [
      "whose process has the same pid in a new container restarted all the same",
      [alive(0, 7), alive(300, 7), alive(600, 7), alive(900, 7)],
      { "supervisord:daq:daq:restarts": `${LOOP} RUNNING` },
    ],
    [
      "that restarts again and again is not reported once more when polls see it start",
      [
        ...[alive(0, 11), alive(300, 12), alive(600, 13), alive(900, 14)],
        ...[alive(1200, 15, "STARTING"), alive(1500, 16, "STARTING")],
      ],
      {
        "supervisord:daq:daq:restarts":
          "supervisord: daq was started again 5 times in 30 min, now STARTING",
      },
    ],
    [
      "that could not be started, and restarts again and again, keeps its event while it starts",
      [
        ...[alive(0, 11), alive(300, 12, "STARTING"), alive(600, 13, "STARTING")],
        ...[alive(900, 14, "STARTING")],
      ],
      {
        "supervisord:daq:daq:down":
          "supervisord: daq was not RUNNING in any poll since 2026-11-20 15:58 UTC, now STARTING",
        "supervisord:daq:daq:restarts": `${LOOP} STARTING`,
      },
    ],
    [
      "that restarts again and again, and is given up, is down too",
      [
        ...[alive(0, 11), alive(300, 12), alive(600, 13), alive(900, 14)],
        at(1200, { pid: 0, statename: "FATAL", spawnerr: QUICK }),
      ],
      {
        "supervisord:daq:daq:down": `supervisord: daq is FATAL, supervisord does not start it again: ${QUICK}`,
        "supervisord:daq:daq:restarts": `${LOOP} FATAL`,
      },
    ],
    ["that cannot be started is given time", [at(0, {}), backoff(300)], {}],
    [
      "that still cannot be started is reported, since the first poll that saw it",
      [at(0, {}), backoff(300), alive(600, 12, "STARTING"), backoff(900)],
      {
        "supervisord:daq:daq:down": `supervisord: daq was not RUNNING in any poll since 2026-11-20 15:58 UTC, now BACKOFF: ${QUICK}`,
      },
    ],
    [
      "is told of by the supervisor's clock",
      [at(0, {}, 86_400), backoff(300, 86_400), backoff(600, 86_400)],
      {
        "supervisord:daq:daq:down": `supervisord: daq was not RUNNING in any poll since 2026-11-21 15:58 UTC, now BACKOFF: ${QUICK}`,
      },
    ],
    [
      "that was started at last is well",
      [at(0, {}), backoff(300), backoff(600), alive(900, 12)],
      {},
    ],
    [
      "begins anew when it cannot be started again",
      [at(0, {}), backoff(300), alive(600, 12), backoff(900)],
      {},
    ],
  ];
  test.each(rows)("%s", async (_, looks, expected) => {
    const outcome = await lastOf(looks);
    expect(subjectsOf(outcome)).toEqual(expected);
    expect(outcome).toMatchObject({ status: "complete", notes: [] });
  });

  test("says what a poll cannot know, and has what the dashboard shows", async () => {
    const outcome = await lastOf([alive(0, 11), alive(300, 12), alive(600, 13), alive(900, 14)]);
    expect(outcome.detections).toMatchObject([
      {
        body: expect.stringMatching(
          /^State: RUNNING\nProcess: pid 14\nLast start: 2026-11-20 16:08 UTC\n(.*\n)*.*tell a crash from a restart/,
        ),
        data: {
          metric: "3 restarts",
          supervisor: "supervisord",
          program: "daq",
          state: "RUNNING",
          pid: 14,
        },
      },
    ]);
  });

  test.each([
    ["that supervisord restarted ended before", THEN + 590, false],
    ["that came with its supervisord has no end", 0, true],
  ])("%s, and its event says so", async (_, stop, isSaid) => {
    const last = at(900, { pid: 14, start: THEN + 898, stop });
    const [detection] = (await lastOf([alive(0, 11), alive(300, 12), alive(600, 13), last]))
      .detections;
    expect(detection?.body).toContain("between two polls");
    expect(detection?.body.includes("supervisord knows no end of it")).toBe(isSaid);
  });

  test.each([
    [
      "that is down has its errors and how to start it",
      { statename: "FATAL", spawnerr: QUICK },
      ["Its errors: /var/log/daq.err", "Start it: supervisorctl start daq"],
    ],
    [
      "with redirect_stderr has its errors where its output is",
      { statename: "FATAL", stderr_logfile: "", stdout_logfile: "/var/log/daq.out" },
      ["Its errors: /var/log/daq.out", "Start it: supervisorctl start daq"],
    ],
    [
      "of a group is named as supervisorctl does",
      { statename: "FATAL", group: "readout", stderr_logfile: "" },
      ["Start it: supervisorctl start readout:daq"],
    ],
  ])("%s", async (_, fields, expected) => {
    const outcome = await lastOf([at(0, { pid: 0, ...fields })]);
    const lines = outcome.detections.flatMap(({ body }) => body.split("\n"));
    expect(lines.filter((line) => /^(Its errors|Start it):/.test(line))).toEqual(expected);
  });

  test("that has not restarted for a while clears with what polls saw", async () => {
    const loop = [alive(0, 11), alive(300, 12), alive(600, 13), alive(900, 14)];
    const { goneReasons } = await lastOf([...loop, alive(2400, 15)]);
    expect(goneReasons?.get("supervisord:daq:daq:restarts")).toBe(
      "2 restarts seen in the last 30 min, now RUNNING",
    );
  });

  test("keeps what is known of it while its supervisor does not answer", async () => {
    const looks = [backoff(0), [300, {}], [7200, {}], backoff(7500)] as const;
    expect(Object.keys(subjectsOf(await lastOf(looks)))).toEqual(["supervisord:daq:daq:down"]);
  });

  test("goes from one stage to the next in one event", async () => {
    const retrying = await lastOf([backoff(0), backoff(300)]);
    const fatal = await lastOf([at(0, { pid: 0, statename: "FATAL", spawnerr: QUICK })]);
    const key = "supervisord:daq:daq:down";
    expect(retrying.levels.get(key)).toMatchObject({ stage: "starting" });
    expect(fatal.levels.get(key)).toMatchObject({ stage: "down" });
  });
});

describe("the supervisor", () => {
  const fine = answers([row("daq")]);
  const STATE = { "supervisord:": true };
  type Row = readonly [
    sentence: string,
    given: Answers,
    expected: { readonly [key: string]: string },
    scopes: { readonly [prefix: string]: boolean },
  ];
  const supervisor = (state: string) => ({
    "supervisord:supervisor": `supervisord: the supervisor is ${state}, so its programs are not known`,
  });
  const rows: readonly Row[] = [
    ["that answers is not reported", fine, {}, {}],
    ["that does not answer is", {}, supervisor("unreachable"), STATE],
    [
      "that shuts down or restarts is",
      { ...fine, getState: SHUTDOWN },
      supervisor("shutting down or restarting"),
      STATE,
    ],
    [
      "that began to shut down between two calls is",
      { ...fine, getAllProcessInfo: SHUTDOWN },
      supervisor("shutting down or restarting"),
      STATE,
    ],
    [
      "that is in another state than RUNNING is",
      { ...fine, getState: writeAnswer({ statecode: 2, statename: "FATAL" }) },
      supervisor("FATAL"),
      STATE,
    ],
    [
      "that is no supervisord is",
      { ...fine, getState: writeFault(1, "UNKNOWN_METHOD") },
      supervisor("unreachable"),
      STATE,
    ],
    [
      "that is no XML-RPC service is",
      { ...fine, getState: "<html>503 busy" },
      supervisor("unreachable"),
      STATE,
    ],
    [
      "whose processes are no list is",
      { ...fine, getAllProcessInfo: writeAnswer({ daq: "RUNNING" }) },
      supervisor("unreachable"),
      STATE,
    ],
    [
      "whose configuration cannot be read leaves what is missing unknown",
      { ...fine, getAllConfigInfo: writeFault(92, "CANT_REREAD") },
      {},
      { "supervisord:": false },
    ],
    [
      "whose configuration is no list does so too",
      { ...fine, getAllConfigInfo: writeAnswer("x") },
      {},
      { "supervisord:": false },
    ],
    [
      "that lists nothing has lost what is to start by itself",
      answers([], [configured("daq")]),
      {
        "supervisord:daq:daq:down":
          "supervisord: daq is in the configuration with autostart, but not loaded (supervisorctl update)",
      },
      {},
    ],
    [
      "that lists something unreadable costs that program alone",
      answers(
        [row("odd", { start: "?" }), row("daq", { statename: "FATAL" })],
        [configured("odd"), configured("daq")],
      ),
      {
        "supervisord:daq:daq:down":
          "supervisord: daq is FATAL, supervisord does not start it again",
      },
      { "supervisord:odd:odd:": false },
    ],
    [
      "that lists something without a name costs no other program's detection",
      answers([{}, row("daq", { statename: "FATAL" })]),
      {
        "supervisord:daq:daq:down":
          "supervisord: daq is FATAL, supervisord does not start it again",
      },
      { "supervisord:": true },
    ],
  ];
  test.each(rows)("%s", async (_, given, expected, scopes) => {
    const outcome = await lastOf([[0, given]]);
    expect(subjectsOf(outcome)).toEqual(expected);
    expect(scopesOf(outcome)).toEqual(scopes);
    expect(outcome.status).toBe("complete");
  });
});

describe("several supervisors", () => {
  const params = {
    supervisors: [{ source: "supervisord", must_run: ["daq"] }, { source: "other" }],
  };
  const stopped = answers([row("daq", { statename: "STOPPED", stop: THEN - 300 })]);

  test("are told apart, also by what must run", async () => {
    const tick = await supervisordTicks(params);
    const outcome = await tick(THEN, {
      supervisord: fakeSupervisor("supervisord", stopped),
      other: fakeSupervisor("other", stopped),
    });
    expect(Object.keys(subjectsOf(outcome))).toEqual(["supervisord:daq:daq:down"]);
  });

  test("that do not answer cost only their own programs", async () => {
    const tick = await supervisordTicks(params);
    const outcome = await tick(THEN, {
      supervisord: fakeSupervisor("supervisord", stopped),
      other: fakeSupervisor("other", {}),
    });
    expect(Object.keys(subjectsOf(outcome))).toEqual([
      "supervisord:daq:daq:down",
      "other:supervisor",
    ]);
    expect(scopesOf(outcome)).toEqual({ "other:": true });
    expect(outcome.status).toBe("complete");
  });

  test("with the same source are an error", async () => {
    const twice = { supervisors: [{ source: "supervisord" }, { source: "supervisord" }] };
    const outcome = await lastOf([[0, stopped]], twice);
    expect(outcome.status).toBe("failed");
    expect(outcome.reasons.join()).toContain(
      "supervisors: the source supervisord is there twice; give it one row",
    );
  });
});

const recorded = new Map(recordedAnswers().map(({ file, body }) => [file, body]));

describe.skipIf(recorded.size === 0)("the recorded polls", () => {
  /** Epoch seconds of the first one. */
  const FIRST = 1_795_190_332;
  const POLLS: readonly (readonly [seconds: number, file: string])[] = [
    [0, "rpc_01_getAllProcessInfo_t2s.xml"],
    [18, "rpc_06_getAllProcessInfo_t20s.xml"],
    [20, "rpc_09_getAllProcessInfo_stopping.xml"],
    [72, "rpc_18_getAllProcessInfo_t75s.xml"],
  ];

  async function outcomes(config: string, params: JsonObject) {
    const tick = await supervisordTicks(params);
    const seen = [];
    for (const [seconds, file] of POLLS) {
      const given = {
        getState: recorded.get("rpc_02_getState.xml"),
        getAllProcessInfo: recorded.get(file),
        getAllConfigInfo: config,
      };
      seen.push(await tick(FIRST + seconds, { supervisord: fakeSupervisor("supervisord", given) }));
    }
    return seen;
  }

  test("show what failed, and neither what was stopped nor what is done", async () => {
    const config = recorded.get("rpc_16_getAllConfigInfo.xml") ?? "";
    const seen = await outcomes(config, { restarts: 2, restart_minutes: 5 });
    const LATE = {
      "supervisord:late:late:down":
        "supervisord: late is in the configuration with autostart, but not loaded (supervisorctl update)",
    };
    const FAILED = {
      "supervisord:fastdie:fastdie:down": `supervisord: fastdie is FATAL, supervisord does not start it again: ${QUICK}`,
      "supervisord:missing:missing:down":
        "supervisord: missing is FATAL, supervisord does not start it again: can't find command '/no/such/binary'",
      ...LATE,
    };
    expect(seen.map(subjectsOf)).toEqual([
      LATE,
      FAILED,
      FAILED,
      {
        "supervisord:crasher:crasher:restarts":
          "supervisord: crasher was started again 2 times in 5 min, now STARTING",
        ...FAILED,
      },
    ]);
    for (const outcome of seen)
      expect(outcome).toMatchObject({ status: "complete", scopes: new Map() });
  });

  test("show what must run, while it was stopped and after it was done", async () => {
    const params = {
      supervisors: [{ source: "supervisord", must_run: ["stubborn", "oneshot", "detectors:*"] }],
      patience_seconds: 10,
    };
    const [before, , stopping, after] = await outcomes(writeAnswer([]), params);
    const of = (outcome: typeof before) =>
      Object.keys(outcome ? subjectsOf(outcome) : {}).filter((key) =>
        /stubborn|oneshot|detectors/.test(key),
      );
    expect(of(before)).toEqual([]);
    expect(of(stopping)).toEqual(["supervisord:oneshot:oneshot:down"]);
    expect(of(after)).toEqual([
      "supervisord:oneshot:oneshot:down",
      "supervisord:stubborn:stubborn:down",
    ]);
  });
});
