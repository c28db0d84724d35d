import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SpoolLine } from "../../src/spool/spool_line.ts";
import { recordedEvents, type Sent, Supervisor, Ticks } from "./supervisord_events_ticks.ts";

const NOW = 1_795_190_000;

/** One of the steps of a program, such as `2 EXITED 0 a`: seconds, state, whether it was expected, and the program. */
function sent(step: string, from = NOW): Sent {
  const [seconds = "", state = "", ...rest] = step.split(" ");
  const at = from + Number(seconds);
  if (state === "TICK_60") return { event: state, payload: `when:${at}`, at };
  if (state === "STARTED") return { event: "SUPERVISOR_STATE_CHANGE_RUNNING", payload: "", at };
  if (state === "REMOVED")
    return { event: "PROCESS_GROUP_REMOVED", payload: `groupname:${rest[0]}\n`, at };
  if (state === "SAYS") {
    const payload = `processname:comm groupname:detectors pid:7\n${rest.join(" ")}`;
    return { event: "PROCESS_COMMUNICATION_STDOUT", payload, at };
  }
  const [expected, name = expected] = state === "EXITED" ? rest : ["", rest[0]];
  const exit = state === "EXITED" ? ` expected:${expected}` : "";
  const payload = `processname:${name} groupname:${name} from_state:X${exit} pid:7`;
  return { event: `PROCESS_STATE_${state}`, payload, at };
}

const CRASH = ["0 EXITED 0 a", "0 STARTING a", "2 RUNNING a"];

describe("a program", () => {
  /** The steps of each tick, which runs at the time of the last one. */
  const rows: readonly [
    sentence: string,
    ticks: readonly (readonly string[])[],
    changes: readonly (readonly string[])[],
  ][] = [
    [
      "that crashes and is RUNNING again before a tick is reported, and ends with the next tick",
      [CRASH, ["60 TICK_60"], ["120 TICK_60"]],
      [["+ daq:a:a"], ["- daq:a:a: RUNNING again after 2 s"], []],
    ],
    [
      "that stays down is reported however quiet it is",
      [["0 EXITED 0 a"], ["7200 TICK_60"], ["90000 TICK_60"]],
      [["+ daq:a:a"], [], []],
    ],
    [
      "that is FATAL is reported until someone starts it",
      [["0 BACKOFF a", "0 FATAL a"], ["7200 TICK_60"], ["7260 STARTING a"], ["7262 RUNNING a"]],
      [["+ daq:a:a"], [], [], ["- daq:a:a: RUNNING again after 2 h"]],
    ],
    [
      "that exits again and again has one event, until it is quiet",
      [
        CRASH,
        ["60 TICK_60"],
        ["100 EXITED 0 a", "102 RUNNING a"],
        ["160 TICK_60"],
        ["1899 TICK_60"],
        ["1900 TICK_60"],
      ],
      [
        ["+ daq:a:a"],
        ["- daq:a:a: RUNNING again after 2 s"],
        ["+ daq:a:a"],
        [],
        [],
        ["- daq:a:a: RUNNING, and quiet for 30 min after 2 unexpected exits"],
      ],
    ],
    [
      "that exits rarely begins anew each time",
      [
        CRASH,
        ["60 TICK_60"],
        ["1800 TICK_60"],
        ["1801 EXITED 0 a", "1803 RUNNING a"],
        ["1860 TICK_60"],
      ],
      [
        ["+ daq:a:a"],
        ["- daq:a:a: RUNNING again after 2 s"],
        [],
        ["+ daq:a:a"],
        ["- daq:a:a: RUNNING again after 2 s"],
      ],
    ],
    [
      "that fails again while the engine is off is reported again",
      [
        [...CRASH, "0 FATAL b"],
        ["7200 EXITED 0 a", "7202 RUNNING a", "7300 RUNNING b", "7400 FATAL b", "7401 RUNNING b"],
        ["7460 TICK_60"],
      ],
      [
        ["+ daq:a:a", "+ daq:b:b"],
        [],
        ["- daq:a:a: RUNNING again after 2 s", "- daq:b:b: RUNNING again after 1 s"],
      ],
    ],
    [
      "that someone stops after a crash, or starts once its event is over, has no further event",
      [
        ["0 EXITED 0 a", "1 EXITED 0 a"],
        ["60 STOPPING a", "61 STOPPED a"],
        ["100 STARTING a"],
        ["160 STOPPING a"],
      ],
      [["+ daq:a:a"], ["- daq:a:a: it was stopped"], [], []],
    ],
    [
      "that exits as expected, starts and stops is fine",
      [["0 STARTING a", "1 RUNNING a", "2 EXITED 1 a", "3 STOPPING b", "4 STOPPED b"]],
      [[]],
    ],
    [
      "that exits as expected after a crash is done",
      [["0 EXITED 0 a", "2 RUNNING a", "3 EXITED 0 a"], ["9 EXITED 1 a"]],
      [["+ daq:a:a"], ["- daq:a:a: it exited as expected"]],
    ],
    [
      "whose group is removed is gone; others stay",
      [["0 FATAL a", "0 FATAL b"], ["60 REMOVED a"]],
      [["+ daq:a:a", "+ daq:b:b"], ["- daq:a:a: its group was removed from supervisord"]],
    ],
    [
      "is judged anew when its supervisord is started again",
      [["0 FATAL a", "0 FATAL b"], ["60 STARTED", "66 FATAL a"], ["120 TICK_60"]],
      [["+ daq:a:a", "+ daq:b:b"], ["- daq:b:b: its supervisord was started again"], []],
    ],
  ];
  test.each(rows)("%s", async (_sentence, ticks, changes) => {
    const daq = new Supervisor();
    const all = new Ticks();
    const got = [];
    for (const steps of ticks) {
      const lines = steps.map((step) => daq.line(sent(step)));
      const ticked = await all.tick(lines.at(-1)?.at ?? NOW, lines);
      expect(ticked).toMatchObject({ status: "complete", notes: [] });
      got.push(ticked.changes);
    }
    expect(got).toEqual(changes);
  });

  test("is described with what is known of it", async () => {
    const daq = new Supervisor();
    const steps = [...CRASH, "10 EXITED 0 a", "11 FATAL b", "12 STARTING b"];
    const { detections } = await new Ticks().tick(
      NOW + 60,
      steps.map((step) => daq.line(sent(step))),
    );
    expect(detections).toMatchObject([
      {
        subject: "daq: a exited unexpectedly 2 times in 10 s, now EXITED",
        data: { metric: "2 exits", supervisor: "daq", program: "a", pid: "7", state: "EXITED" },
      },
      { subject: "daq: b was FATAL, now STARTING" },
    ]);
    expect(detections[0]?.body).toMatchInlineSnapshot(`
      "Program:       a, supervised by daq
      State:         EXITED since 2026-11-20 15:53:30 UTC
      Exits:         2 unexpected, the latest of pid 7
      First:         2026-11-20 15:53:20 UTC
      Latest:        2026-11-20 15:53:30 UTC

      What it wrote: supervisorctl tail a stderr (stdout with redirect_stderr)"
    `);
  });

  test("is not taken for RUNNING because an older line comes later", async () => {
    const daq = new Supervisor();
    const [running, exited] = ["1 RUNNING a", "1 EXITED 0 a"].map((step) => daq.line(sent(step)));
    if (running === undefined || exited === undefined) throw new Error("no lines");
    const late = { ...running, at: exited.at + 0.2 };
    const ticks = new Ticks();
    await ticks.tick(NOW + 2, [exited]);
    expect((await ticks.tick(NOW + 60, [late], "daq.swf.2.jsonl")).changes).toEqual([]);
    const together = new Ticks();
    await together.tick(NOW + 2, [exited, late]);
    expect((await together.tick(NOW + 60)).changes).toEqual([]);
  });

  test("is RUNNING again although the line of its exit comes later", async () => {
    const daq = new Supervisor();
    const [exited, running] = ["3 EXITED 0 a", "2 RUNNING a"].map((step) => daq.line(sent(step)));
    if (running === undefined || exited === undefined) throw new Error("no lines");
    const ticks = new Ticks();
    expect((await ticks.tick(NOW + 3, [running, exited])).changes).toEqual(["+ daq:a:a"]);
    expect((await ticks.tick(NOW + 60)).changes).toEqual(["- daq:a:a: RUNNING again after 0 s"]);
  });
});

describe("a message", () => {
  const rows: readonly [
    sentence: string,
    text: string,
    key: string,
    severity: string | undefined,
  ][] = [
    ["has both words in its key", "ALERT:HIGH_RATE:det1:5", "ALERT:HIGH_RATE:det1", "warning"],
    ["has the level first", "ALERT:CRITICAL:GAS:low: 5.2%", "ALERT:CRITICAL:GAS", "critical"],
    ["has the level second, in small letters", "ALERT:GAS:error:x", "ALERT:GAS:error", "error"],
    ["may be among other lines", "\nrate=3\n  ALERT:A:INFO:µ café\r\n", "ALERT:A:INFO", "info"],
    ["may lack its end", "ALERT:A", "ALERT:A:?", "warning"],
    ["is a signal of a named type", "SIGNAL:RISK_ALERT:s1:x", "SIGNAL:RISK_ALERT:s1", undefined],
  ];
  test.each(rows)("%s", async (_sentence, text, key, severity) => {
    const ticks = new Ticks({ signals: ["RISK_ALERT"] });
    const daq = new Supervisor();
    const [first, second] = [sent(`0 SAYS ${text}`), sent(`60 SAYS ${text}`)];
    const { status, changes, levels } = await ticks.tick(NOW + 1, [daq.line(first)]);
    expect([status, changes]).toEqual(["complete", [`+ daq:detectors:comm:${key}`]]);
    expect(levels.get(`daq:detectors:comm:${key}`)?.severity).toBe(severity);
    const { detections } = await ticks.tick(NOW + 61, [daq.line(second)]);
    expect(detections[0]?.body).toContain("Messages: 2");
    const quiet = await ticks.tick(NOW + 1860, [daq.line(sent("1860 TICK_60"))]);
    expect(quiet.changes).toEqual([`- daq:detectors:comm:${key}: quiet for 30 min`]);
    expect(JSON.parse(ticks.memory ?? "")).toMatchObject({ heard: {}, items: [] });
  });

  test.each(["SIGNAL:ENTRY:s1:x", "an ALERT:A:B", "alert:A:B", "rate=3 state=ok", ""])(
    "is not %j",
    async (text) => {
      const line = new Supervisor().line(sent(`0 SAYS ${text}`));
      const ticked = await new Ticks({ signals: ["RISK_ALERT"] }).tick(NOW, [line]);
      expect(ticked).toMatchObject({ status: "complete", changes: [] });
    },
  );
});

describe("several supervisors in a spool", () => {
  test("have their own programs, and only their own lines make them quiet", async () => {
    const [one, two] = [new Supervisor("one"), new Supervisor("two:x")];
    const ticks = new Ticks();
    const crashes = ["0 EXITED 0 a", "2 RUNNING a", "3 EXITED 0 a", "5 RUNNING a"];
    const linesOf = (daq: Supervisor) => crashes.map((step) => daq.line(sent(step)));
    ticks.append("two.jsonl", linesOf(two));
    expect((await ticks.tick(NOW + 5, linesOf(one))).changes).toEqual(["+ one:a:a", "+ two:x:a:a"]);
    const later = await ticks.tick(NOW + 3600, [one.line(sent("3600 TICK_60"))]);
    expect(later.status).toBe("partial");
    expect(later.changes).toEqual([
      "- one:a:a: RUNNING, and quiet for 59 min after 2 unexpected exits",
    ]);
  });

  test("end with one that is gone for good", async () => {
    const [one, two] = [new Supervisor("one"), new Supervisor("two")];
    const ticks = new Ticks();
    await ticks.tick(NOW, [one.line(sent("0 FATAL a")), two.line(sent("0 TICK_60"))]);
    const day = 86_400;
    const week = await ticks.tick(NOW + 7 * day, [two.line(sent(`${7 * day} TICK_60`))]);
    expect(week.changes).toEqual([]);
    const after = await ticks.tick(NOW + 7 * day + 60, [two.line(sent(`${7 * day + 60} TICK_60`))]);
    expect(after.changes).toEqual(["- one:a:a: nothing was heard of one for 7 days"]);
  });
});

test("a listener whose clock was ahead makes nothing quiet", async () => {
  const daq = new Supervisor();
  const ticks = new Ticks();
  await ticks.tick(NOW, [daq.line(sent("7200 SAYS ALERT:EARLY:x:1"))]);
  await ticks.tick(NOW + 60, [daq.line(sent("60 SAYS ALERT:A:x:1"))]);
  const next = await ticks.tick(NOW + 120, [daq.line(sent("120 TICK_60"))]);
  expect(next.changes).toEqual([]);
});

test("what a listener wrote whose clock was ahead ends as if it had been right", async () => {
  const daq = new Supervisor();
  const ticks = new Ticks();
  const year = 365 * 86_400;
  const steps = ["SAYS ALERT:A:x:1", "EXITED 0 a", "RUNNING a", "EXITED 0 a", "RUNNING a"];
  const first = await ticks.tick(
    NOW,
    steps.map((step) => daq.line(sent(`${year} ${step}`))),
  );
  expect(first.changes.toSorted()).toEqual(["+ daq:a:a", "+ daq:detectors:comm:ALERT:A:x"]);
  await ticks.tick(NOW + 60, [daq.line(sent("60 TICK_60"))]);
  const later = await ticks.tick(NOW + 1800, [daq.line(sent("1800 TICK_60"))]);
  expect(later.changes.toSorted()).toEqual([
    "- daq:a:a: RUNNING, and quiet for 30 min after 2 unexpected exits",
    "- daq:detectors:comm:ALERT:A:x: quiet for 30 min",
  ]);
});

describe("the first look at a spool", () => {
  test("finds what is down or recent, however old the spool is", async () => {
    const daq = new Supervisor();
    const steps = [
      ...["0 FATAL a", "0 EXITED 0 b", "2 RUNNING b", "3 SAYS ALERT:OLD:x:1"],
      ...["86400 EXITED 0 c", "86402 RUNNING c", "86403 SAYS ALERT:NEW:x:1"],
    ];
    const { changes } = await new Ticks().tick(
      NOW + 86_460,
      steps.map((step) => daq.line(sent(step))),
    );
    expect(changes).toEqual(["+ daq:a:a", "+ daq:c:c", "+ daq:detectors:comm:ALERT:NEW:x"]);
  });

  test("of a later tick finds all that happened while the engine was off", async () => {
    const daq = new Supervisor();
    const ticks = new Ticks();
    await ticks.tick(NOW, [daq.line(sent("0 TICK_60"))]);
    const steps = [...CRASH, "86400 TICK_60"];
    const lines = steps.map((step) => daq.line(sent(step)));
    expect((await ticks.tick(NOW + 86_400, lines)).changes).toEqual(["+ daq:a:a"]);
    const next = await ticks.tick(NOW + 86_460, [daq.line(sent("86460 TICK_60"))]);
    expect(next.changes).toEqual(["- daq:a:a: RUNNING again after 2 s"]);
  });
});

describe("a broken line", () => {
  const rows: readonly [sentence: string, changes: Partial<SpoolLine>, reason: string][] = [
    ["without a program", { payload: "groupname:a expected:0" }, "no readable processname"],
    [
      "without a group",
      { payload: "processname:a groupname: expected:0" },
      "no readable groupname",
    ],
    [
      "that does not say whether an exit was expected",
      { payload: "processname:a groupname:a" },
      "no readable expected: ",
    ],
    ["without anything", { payload: "" }, 'no readable processname: ""'],
    [
      "of a group without a name",
      { event: "PROCESS_GROUP_REMOVED", payload: "x" },
      "no readable groupname",
    ],
    [
      "of a program that speaks",
      { event: "PROCESS_COMMUNICATION_STDERR", payload: "\nALERT:A:B:c" },
      "no readable processname",
    ],
  ];
  test.each(rows)("%s costs itself only, and is said", async (_sentence, changes, reason) => {
    const daq = new Supervisor();
    const broken = daq.line(sent("0 EXITED 0 a"), changes);
    const lines = [broken, daq.line(sent("1 FATAL b")), daq.line(sent("2 FATAL c"))];
    const ticked = await new Ticks().tick(NOW + 2, lines);
    expect(ticked.status).toBe("partial");
    expect(ticked.reasons).toEqual([expect.stringContaining(reason)]);
    expect(ticked.reasons[0]).toMatch(/^event 0 of daq, PROCESS_/);
    expect(ticked.changes).toEqual(["+ daq:b:b", "+ daq:c:c"]);
  });

  test("may have UTF-8 and whatever else is in names", async () => {
    const daq = new Supervisor("d\nq µ");
    const payload = `processname:caf\u00e9\u{1f680} groupname:${"g".repeat(1000)} from_state:BACKOFF`;
    const ticked = await new Ticks().tick(NOW, [daq.line(sent("0 FATAL a"), { payload })]);
    expect(ticked.changes).toEqual([`+ d q µ:${"g".repeat(200)}:café🚀`]);
  });
});

test("a flood of messages costs no program its event", async () => {
  const daq = new Supervisor();
  const ticks = new Ticks();
  const flood = Array.from(
    { length: 3000 },
    (_, n) => `${n / 1000} SAYS ALERT:R:${n}:${"é".repeat(400)}`,
  );
  const lines = ["0 FATAL a", ...flood].map((step) => daq.line(sent(step)));
  const first = await ticks.tick(NOW + 3, lines);
  expect(first.changes).toHaveLength(3001);
  expect(first.notes[0]).toMatch(/^\d+ of 3001 programs and messages cannot be remembered/);
  expect(Buffer.byteLength(ticks.memory ?? "")).toBeLessThan(210_000);
  const second = await ticks.tick(NOW + 60, [daq.line(sent("60 FATAL b"))]);
  const keys = second.detections.map(({ dedupeKey }) => dedupeKey);
  expect(keys.slice(0, 1)).toEqual(["daq:a:a"]);
  expect(keys).toContain("daq:detectors:comm:ALERT:R:2999");
});

describe("the recorded events", () => {
  const recorded = recordedEvents();
  const wanted = [
    "+ epic-daq:crasher:crasher",
    "+ epic-daq:missing:missing",
    "+ epic-daq:fastdie:fastdie",
    "+ epic-daq:detectors:comm:ALERT:HIGH_RATE:det1",
    "+ epic-daq:readout:readout",
  ];
  const end = recorded?.at(-1)?.at ?? 0;

  test.skipIf(recorded === undefined)("are the wanted detections, in order, once", async () => {
    const daq = new Supervisor("epic-daq");
    const ticks = new Ticks();
    const { status, changes, detections, levels } = await ticks.tick(
      end,
      recorded?.map((each) => daq.line(each)),
    );
    expect([status, changes]).toEqual(["complete", wanted]);
    expect(detections.map(({ subject }) => subject)).toEqual([
      "epic-daq: crasher exited unexpectedly 21 times in 98 s, now RUNNING",
      "epic-daq: missing is FATAL: supervisord does not start it again",
      "epic-daq: fastdie is FATAL: supervisord does not start it again",
      "epic-daq: detectors:comm sent ALERT HIGH_RATE det1: 50",
      "epic-daq: readout exited unexpectedly, now STOPPED",
    ]);
    expect([...levels.values()].map(({ severity }) => severity)).toEqual([
      "error",
      "critical",
      "critical",
      "warning",
      "warning",
    ]);
    const last = await ticks.tick(end + 60, [daq.line(sent("0 TICK_60", end + 60))]);
    expect(last.changes).toEqual(["- epic-daq:readout:readout: RUNNING again after 2 s"]);
  });

  test.skipIf(recorded === undefined)(
    "are the same in ticks at any times, each line written once or twice by any of two listeners",
    async () => {
      const events = recorded ?? [];
      const whole = new Ticks();
      const daq = new Supervisor("epic-daq");
      await whole.tick(
        end,
        events.map((each) => daq.line(each)),
      );
      const cuts = fc.uniqueArray(fc.nat(events.length), { maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(
          cuts,
          fc.infiniteStream(fc.integer({ min: 1, max: 3 })),
          async (at, writers) => {
            const supervisor = new Supervisor("epic-daq");
            const ticks = new Ticks();
            const changes: string[] = [];
            let from = 0;
            for (const to of [...at.toSorted((a, b) => a - b), events.length]) {
              const lines = events.slice(from, to).map((each) => supervisor.line(each));
              const choices = lines.map(() => writers.next().value);
              from = to;
              ticks.append(
                "a.jsonl",
                lines.filter((_, n) => choices[n] !== 1),
              );
              ticks.append(
                "b.jsonl",
                lines.filter((_, n) => choices[n] !== 2),
              );
              if (to > 0) changes.push(...(await ticks.tick(events[to - 1]?.at ?? end)).changes);
            }
            const opened = changes.filter((change) => change.startsWith("+"));
            expect([...new Set(opened)]).toEqual(wanted);
            expect(ticks.memory).toBe(whole.memory);
          },
        ),
        { numRuns: 40 },
      );
    },
  );
});
