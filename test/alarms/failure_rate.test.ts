import { describe, expect, test } from "vitest";
import { describeTask, type FailureRateParams, judge } from "../../alarms/lib/failure_rate.ts";
import type { JsonObject } from "../../src/text/json.ts";

const PARAMS: FailureRateParams = {
  threshold: 0.03,
  since_days: 1,
  username: undefined,
  processingtype: undefined,
  min_terminal_jobs: 5,
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
