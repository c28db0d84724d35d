import { describe, expect, test } from "vitest";
import {
  isMeant,
  type JudgeFacts,
  missingOf,
  problemOf,
} from "../../alarms/lib/supervisord_judge.ts";
import { parseProcess, parseProgram } from "../../alarms/lib/supervisord_process.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { configured, row, THEN } from "./fake_supervisors.ts";

const FACTS: JudgeFacts = { lasting: 0, patience: 60, program: undefined, mustRun: false };
const QUICK = "Exited too quickly (process log may have details)";
const PROGRAM = { startsecs: 100, stopwaitsecs: 500 };

describe("a program", () => {
  type Row = readonly [
    sentence: string,
    fields: JsonObject,
    facts: Partial<JudgeFacts>,
    expected: string | undefined,
  ];
  const rows: readonly Row[] = [
    ["that runs is well", {}, {}, undefined],
    ["that must run and runs is well", {}, { mustRun: true }, undefined],
    [
      "that is FATAL is reported at once, with its reason and not with its exit status",
      { statename: "FATAL", pid: 0, spawnerr: QUICK },
      {},
      `down: is FATAL, supervisord does not start it again: ${QUICK}`,
    ],
    [
      "that is FATAL without a reason is reported too",
      { statename: "FATAL", pid: 0 },
      {},
      "down: is FATAL, supervisord does not start it again",
    ],
    ["that starts is given its time", { statename: "STARTING" }, { lasting: 60 }, undefined],
    [
      "that failed to start is given its time too",
      { statename: "BACKOFF", spawnerr: QUICK },
      { lasting: 60 },
      undefined,
    ],
    [
      "that has tried to start for longer is reported, since the first try",
      { statename: "BACKOFF", start: THEN - 5, spawnerr: QUICK },
      { lasting: 600 },
      `starting: was not RUNNING in any poll since 2026-11-20 15:43 UTC, now BACKOFF: ${QUICK}`,
    ],
    [
      "that is in the middle of a try after as long is reported too",
      { statename: "STARTING" },
      { lasting: 61 },
      "starting: was not RUNNING in any poll since 2026-11-20 15:52 UTC, now STARTING",
    ],
    [
      "whose start takes long by its configuration may take that time",
      { statename: "STARTING" },
      { lasting: 160, program: PROGRAM },
      undefined,
    ],
    [
      "whose start takes longer than that is reported",
      { statename: "STARTING" },
      { lasting: 161, program: PROGRAM },
      "starting: was not RUNNING in any poll since 2026-11-20 15:50 UTC, now STARTING",
    ],
    [
      "that exited unexpectedly may be started again",
      { statename: "EXITED", pid: 0, stop: THEN - 60, spawnerr: "Bad exit code 3" },
      {},
      undefined,
    ],
    [
      "that exited unexpectedly and stays down is reported",
      { statename: "EXITED", pid: 0, stop: THEN - 61, spawnerr: "Bad exit code 3" },
      {},
      "down: exited unexpectedly at 2026-11-20 15:52 UTC and is down: Bad exit code 3",
    ],
    [
      "that exited as expected is done, whatever its code",
      { statename: "EXITED", pid: 0, stop: THEN - 9000, exitstatus: 2 },
      {},
      undefined,
    ],
    [
      "that exited as expected and must run is reported",
      { statename: "EXITED", pid: 0, stop: THEN - 61 },
      { mustRun: true },
      "down: exited at 2026-11-20 15:52 UTC, and must run",
    ],
    [
      "that someone stopped is left alone",
      { statename: "STOPPED", pid: 0, stop: THEN - 9000 },
      {},
      undefined,
    ],
    [
      "that is not started by itself is left alone",
      { statename: "STOPPED", pid: 0, start: 0, stop: 0 },
      {},
      undefined,
    ],
    [
      "that must run may be stopped for a moment",
      { statename: "STOPPED", pid: 0, stop: THEN - 60 },
      { mustRun: true },
      undefined,
    ],
    [
      "that must run and was stopped is reported",
      { statename: "STOPPED", pid: 0, stop: THEN - 61 },
      { mustRun: true },
      "down: was stopped at 2026-11-20 15:52 UTC, and must run",
    ],
    [
      "that must run and was never started is reported",
      { statename: "STOPPED", pid: 0, start: 0, stop: 0 },
      { mustRun: true },
      "down: was never started, and must run",
    ],
    [
      "that does not want to end is given the time after which supervisord kills it",
      { statename: "STOPPING" },
      { lasting: 560, program: PROGRAM },
      undefined,
    ],
    [
      "that not even a kill ends is reported",
      { statename: "STOPPING" },
      { lasting: 561, program: PROGRAM },
      "down: has been STOPPING since 2026-11-20 15:43 UTC and does not end",
    ],
    [
      "in a state that says nothing is reported",
      { statename: "UNKNOWN" },
      {},
      "down: is in the state UNKNOWN",
    ],
    [
      "whose clock was set back waits",
      { statename: "EXITED", stop: THEN + 500, spawnerr: "Bad exit code 3" },
      {},
      undefined,
    ],
  ];
  test.each(rows)("%s", (_, fields, facts, expected) => {
    const parsed = parseProcess(row("readout", fields));
    if (!parsed.ok) throw new Error(parsed.error);
    const problem = problemOf(parsed.value, { ...FACTS, ...facts });
    expect(problem && `${problem.stage}: ${problem.text}`).toBe(expected);
  });
});

describe("a pattern", () => {
  test.each([
    ["readout", { group: "readout", name: "readout" }, true],
    ["readout", { group: "readout", name: "readout_00" }, false],
    ["readout", { group: "daq", name: "readout" }, false],
    ["daq:readout", { group: "daq", name: "readout" }, true],
    ["daq:*", { group: "daq", name: "readout" }, true],
    ["daq:*", { group: "daq2", name: "readout" }, false],
    ["*", { group: "daq", name: "readout" }, false],
    ["", { group: "daq", name: "readout" }, false],
  ])("%s is meant to be %o: %s", (pattern, id, expected) => {
    expect(isMeant(pattern, id)).toBe(expected);
  });
});

describe("what is missing", () => {
  const here = [{ group: "worker", name: "worker_00" }];
  const loaded = configured("worker_00", { group: "worker" });
  const UNLOADED = "is in the configuration with autostart, but not loaded (supervisorctl update)";
  const MUST = "must run, and is not there";
  type Row = readonly [
    sentence: string,
    programs: readonly JsonObject[],
    mustRun: readonly string[],
    expected: readonly string[],
  ];
  const rows: readonly Row[] = [
    ["is nothing where all is there", [loaded], ["worker:*", "worker:worker_00"], []],
    [
      "is a program of the configuration that is not loaded",
      [loaded, configured("late")],
      [],
      [`late:late ${UNLOADED}`],
    ],
    [
      "is one more process of a program whose number of processes grew",
      [loaded, configured("worker_01", { group: "worker" })],
      [],
      [`worker:worker_01 ${UNLOADED}`],
    ],
    ["is not what would not start by itself", [configured("manual", { autostart: false })], [], []],
    [
      "is what must run",
      [],
      ["readout", "daq:comm"],
      [`readout:readout ${MUST}`, `daq:comm ${MUST}`],
    ],
    ["is a whole group that must run", [], ["daq:*"], [`daq:* ${MUST}`]],
    [
      "is a group whose name was taken for a process",
      [loaded],
      ["worker"],
      [`worker:worker ${MUST}`],
    ],
  ];
  test.each(rows)("%s", (_, programs, mustRun, expected) => {
    const parsed = programs.map(parseProgram).flatMap((each) => (each.ok ? [each.value] : []));
    expect(parsed).toHaveLength(programs.length);
    const missing = missingOf(here, parsed, mustRun);
    expect(missing.map(({ group, name, text }) => `${group}:${name} ${text}`)).toEqual(expected);
  });
});

describe("a row", () => {
  test.each([
    ["group", undefined, "supervisord lists a process without a group and a name: an object"],
    ["name", 7, "supervisord lists a process without a group and a name: an object"],
    ["statename", null, 'process "readout" has no readable statename: null'],
    ["spawnerr", 1, 'process "readout" has no readable spawnerr: 1'],
    ["start", "1", 'process "readout" has no readable start: "1"'],
    ["stop", -1, 'process "readout" has no readable stop: -1'],
    ["now", 1e300, 'process "readout" has no readable now: 1e+300'],
    ["pid", [], 'process "readout" has no readable pid: a list'],
  ])("whose %s is %o cannot be read", (field, value, error) => {
    const { [field]: _, ...rest } = row("readout");
    const wrong: JsonObject = value === undefined ? rest : { ...rest, [field]: value };
    expect(parseProcess(wrong)).toMatchObject({ ok: false, error });
  });

  test("that is no object cannot be read", () => {
    expect(parseProcess("x")).toMatchObject({ ok: false, id: undefined });
    expect(parseProgram(null)).toMatchObject({ ok: false, id: undefined });
    expect(parseProgram(configured("late", { autostart: "yes" }))).toEqual({
      ok: false,
      error: 'the configuration of "late" has no readable autostart, startsecs or stopwaitsecs',
      id: { group: "late", name: "late" },
    });
  });
});
