import { describe, expect, test } from "vitest";
import { describeTask, type FailureRateParams, judge } from "../../alarms/lib/failure_rate.ts";
import type { JsonObject } from "../../src/text/json.ts";

const PARAMS: FailureRateParams = {
  threshold: 0.03,
  since_days: 1,
  username: undefined,
  processingtype: undefined,
  min_terminal_jobs: 5,
  confidence: undefined,
  statuses: ["running", "failed", "broken"],
};

const TASK: JsonObject = {
  jeditaskid: 7,
  taskname: "some.task",
  status: "running",
  username: "somebody",
  site: "BNL",
  failurerate: null,
  nactive: 3,
  nfinished: 90,
  nfailed: 10,
  nretries: 8,
  nfinalfailed: 5,
  nfilesfinished: 95,
  computed_failurerate: 0.1,
  computed_finalfailurerate: 0.05,
};

/** The task with some fields changed; `undefined` takes a field away, as JSON would. */
function task(changes: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify({ ...TASK, ...changes }));
}

const FINAL = "computed_finalfailurerate";
const ALL = "computed_failurerate";

describe("a task is judged", () => {
  const rows: readonly [string, JsonObject, Partial<FailureRateParams>, string][] = [
    ["a rate above the threshold fires", { [FINAL]: 0.04 }, {}, "fires"],
    ["a rate equal to the threshold fires", { [FINAL]: 0.03 }, {}, "fires"],
    ["a rate just below does not", { [FINAL]: 0.0299 }, {}, "under the threshold"],
    [
      "a null rate means that nothing has ended, however many jobs failed",
      { [FINAL]: null, [ALL]: 1 },
      {},
      "nothing has ended yet",
    ],
    [
      "a missing final rate means an older service: the other rate counts",
      { [FINAL]: undefined, [ALL]: 0.1 },
      {},
      "fires",
    ],
    [
      "so does a missing final rate beside a null one",
      { [FINAL]: undefined, [ALL]: null },
      {},
      "nothing has ended yet",
    ],
    [
      "fewer failed and finished jobs than min_terminal_jobs do not fire",
      { nfailed: 2, nfinished: 2 },
      {},
      "too few jobs",
    ],
    ["as many jobs as min_terminal_jobs fire", { nfailed: 2, nfinished: 3 }, {}, "fires"],
    [
      "min_terminal_jobs 0 allows every task",
      { nfailed: 0, nfinished: 0 },
      { min_terminal_jobs: 0 },
      "fires",
    ],
    ["another status is not watched", { status: "done" }, {}, "status not watched"],
    ["unless the statuses name it", { status: "done" }, { statuses: ["done"] }, "fires"],
    ["an empty list of statuses means the default", {}, { statuses: [] }, "fires"],
    ["a threshold of 0 reports every task with a rate", { [FINAL]: 0 }, { threshold: 0 }, "fires"],
    [
      "a threshold of 1 reports only complete losses",
      { [FINAL]: 0.9999 },
      { threshold: 1 },
      "under the threshold",
    ],
    ["a missing id is unreadable", { jeditaskid: undefined }, {}, "unreadable"],
    ["an id that is a string is unreadable", { jeditaskid: "38951" }, {}, "unreadable"],
    ["an id with a fraction is unreadable", { jeditaskid: 38951.5 }, {}, "unreadable"],
    [
      "a missing status is unreadable: the task may be watched",
      { status: undefined },
      {},
      "unreadable",
    ],
    ["a rate that is a string is unreadable", { [FINAL]: "0.5" }, {}, "unreadable"],
    ["a rate below 0 is unreadable", { [FINAL]: -1 }, {}, "unreadable"],
    ["a rate above 1 is unreadable", { [FINAL]: 50 }, {}, "unreadable"],
    ["no rate at all is unreadable", { [FINAL]: undefined, [ALL]: undefined }, {}, "unreadable"],
    [
      "missing job counts are unreadable where they decide",
      { nfailed: undefined },
      {},
      "unreadable",
    ],
    [
      "missing job counts do not matter below the threshold",
      { nfailed: undefined, [FINAL]: 0.01 },
      {},
      "under the threshold",
    ],
    [
      "invalid fields of a task that is not watched do not matter",
      { status: "done", jeditaskid: null, [FINAL]: "x" },
      {},
      "status not watched",
    ],
  ];
  test.each(rows)("%s", (_sentence, changes, params, kind) => {
    expect(judge(task(changes), { ...PARAMS, ...params }).kind).toBe(kind);
  });
});

function described(changes: JsonObject) {
  const verdict = judge(task(changes), PARAMS);
  if (verdict.kind !== "fires") throw new Error(verdict.kind);
  return describeTask(verdict.task, verdict.rate, PARAMS);
}

describe("a task is described", () => {
  const subjects: readonly [string, JsonObject, string][] = [
    ["with status, rate and name", {}, "task 7 (running) final-failure rate 5.0% — some.task"],
    ["without a name", { taskname: null }, "task 7 (running) final-failure rate 5.0% — ?"],
    [
      "with a name in any script",
      { taskname: "ΔE — µ⁻" },
      "task 7 (running) final-failure rate 5.0% — ΔE — µ⁻",
    ],
    [
      "on one line, whatever the name holds",
      { taskname: "a\r\nBcc: b\u2028c" },
      "task 7 (running) final-failure rate 5.0% — a Bcc: b c",
    ],
    [
      "with the rate of an older service, named as such",
      { [FINAL]: undefined },
      "task 7 (running) all-failures rate 10.0% — some.task",
    ],
  ];
  test.each(subjects)("%s", (_sentence, changes, subject) => {
    expect(described(changes).subject).toBe(subject);
  });

  test("with the same lines as the Python engine", () => {
    expect(described({ site: "" }).body).toBe(`PanDA task 7 — some.task
Status:      running
Owner:       somebody
Site:        ?

final-failure rate: 5.0%  (threshold 3.0%)
Input files: retry-exhausted failed=5  finished=95
Jobs: nfailed=10  nfinished=90  nactive=3
(final failures are input files that used up all their retries; a job that failed and then
 succeeded on a retry does not count)
Since: last 1 day(s)
JEDI native failurerate: null (expected: it is not filled for ePIC tasks)

Task page: https://epic-devcloud.org/prod/panda/tasks/7/`);
  });

  test("with the facts that the dashboard shows", () => {
    expect(described({}).data).toEqual({
      metric: "5.0%",
      rate_kind: "final-failure",
      jeditaskid: 7,
      taskname: "some.task",
      status: "running",
      username: "somebody",
      site: "BNL",
      computed_failurerate: 0.1,
      computed_finalfailurerate: 0.05,
      native_failurerate: null,
      nactive: 3,
      nfinished: 90,
      nfailed: 10,
      nfinalfailed: 5,
      nfilesfinished: 95,
      nretries: 8,
      threshold: 0.03,
      since_days: 1,
    });
  });

  test("with null for what an older service does not report", () => {
    const { data, body } = described({
      [FINAL]: undefined,
      nfinalfailed: undefined,
      nfilesfinished: undefined,
      failurerate: 3,
    });
    expect(data).toMatchObject({
      metric: "10.0%",
      rate_kind: "all-failures-fallback",
      computed_finalfailurerate: null,
      nfinalfailed: null,
      nfilesfinished: null,
    });
    expect(body).toContain("retry-exhausted failed=?  finished=?");
    expect(body).toContain("does not report computed_finalfailurerate");
    expect(body).toContain("JEDI native failurerate: 3 ");
  });
});

/** Counts of input files that fit their rate. */
function files(nfinalfailed: number, all: number): JsonObject {
  const rate = Number((nfinalfailed / all).toFixed(4));
  return { nfinalfailed, nfilesfinished: all - nfinalfailed, [FINAL]: rate };
}

describe("with confidence a task is judged by the lower bound of its rate", () => {
  const older = { nfinalfailed: undefined, nfilesfinished: undefined, [FINAL]: undefined };
  const jobs = { ...older, [ALL]: 0.4, nfailed: 2, nfinished: 3 };
  const rows: readonly [string, JsonObject, Partial<FailureRateParams>, string][] = [
    ["one file of five is not certain at 10%", files(1, 5), { threshold: 0.1 }, "not certain"],
    ["two of five fire", files(2, 5), { threshold: 0.1 }, "fires"],
    ["so do two of five jobs of an older service", jobs, { threshold: 0.1 }, "fires"],
    ["15 of 100 fire", files(15, 100), { threshold: 0.1 }, "fires"],
    ["14 of 100 are not certain", files(14, 100), { threshold: 0.1 }, "not certain"],
    [
      "a rate below the threshold is no question",
      files(9, 100),
      { threshold: 0.1 },
      "under the threshold",
    ],
    [
      "more confidence needs more files",
      files(2, 5),
      { threshold: 0.1, confidence: 0.99 },
      "not certain",
    ],
    [
      "one file of one would fire: the noise floor stays",
      { ...files(1, 1), nfailed: 1, nfinished: 0 },
      { threshold: 0.1 },
      "too few jobs",
    ],
    ["a rounded rate agrees with its counts", files(1, 3), {}, "fires"],
    ["a missing count is unreadable", { nfilesfinished: undefined }, {}, "unreadable"],
    ["so is a count with a fraction", { nfinalfailed: 5.5 }, {}, "unreadable"],
    ["so is a negative one", { nfinalfailed: -5 }, {}, "unreadable"],
    ["so are counts that contradict the rate", { nfinalfailed: 50 }, {}, "unreadable"],
    ["so are counts of nothing", { nfinalfailed: 0, nfilesfinished: 0 }, {}, "unreadable"],
    [
      "what does not reach the threshold needs no counts",
      { nfinalfailed: undefined, [FINAL]: 0.01 },
      {},
      "under the threshold",
    ],
  ];
  test.each(rows)("%s", (_sentence, changes, params, kind) => {
    expect(judge(task(changes), { ...PARAMS, confidence: 0.95, ...params }).kind).toBe(kind);
  });

  test("counts that cannot be used are named, with the parameter that needs them", () => {
    const verdict = judge(task({ nfinalfailed: 50, nfilesfinished: "x" }), {
      ...PARAMS,
      confidence: 0.95,
    });
    expect(verdict).toEqual({
      kind: "unreadable",
      reason:
        'task 7 has the failure rate 0.05, but nfinalfailed 50 and nfilesfinished "x"; the parameter confidence needs counts that agree with the rate',
    });
  });

  test.each([
    [
      0.95,
      "final-failure rate: 40.0% of 5 (at least 14.3% with 95% confidence)  (threshold 10.0%)",
    ],
    [
      0.999,
      "final-failure rate: 40.0% of 5 (at least 6.3% with 99.9% confidence)  (threshold 10.0%)",
    ],
  ])("the mail says how certain it is: %f", (confidence, line) => {
    const params = { ...PARAMS, threshold: 0.1, confidence };
    const verdict = judge(task(files(2, 5)), params);
    if (verdict.kind !== "fires" && verdict.kind !== "not certain") throw new Error(verdict.kind);
    const { body, data } = describeTask(verdict.task, verdict.rate, params);
    expect(body?.split("\n")).toContain(line);
    expect(data).toMatchObject({
      metric: "40.0%",
      confidence,
      rate_at_least: verdict.rate.bound?.atLeast,
    });
  });
});
