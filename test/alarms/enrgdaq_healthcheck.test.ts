import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { parseRules, type RuleRow } from "../../alarms/lib/enrgdaq_rule.ts";
import type { JsonObject } from "../../src/text/json.ts";
import { docPage } from "../support/doc_examples.ts";
import {
  type DaqState,
  hasRecording,
  type JobFacts,
  recorded,
  statusOf,
} from "./enrgdaq_server.ts";
import { subjectsOf, watchDaq } from "./watch_daq.ts";

const ALARM = "enrgdaq_healthcheck";
const T = "DAQJobTest";
const SILENT = {
  daq_job_type: T,
  stats_key: "message_out_stats",
  interval: "10s",
  alert_if_interval_is: "unsatisfied",
  message: "DAQJobTest has been unresponsive",
} as const;
const RESTARTED = {
  daq_job_type: T,
  stats_key: "restart_stats",
  interval: "1m",
  alert_if_interval_is: "satisfied",
  message: "it restarted",
};
const QUEUE = {
  daq_job_type: T,
  stats_key: "message_in_queue_stats",
  amount: 1000,
  alert_if_interval_is: "satisfied",
  message: "its queue is long",
};

/** Jobs of "det1"; a number is the status of a failure; undefined if the service does not list it. */
type At = readonly JobFacts[] | { readonly restarts: string } | number | undefined;

/** The messages at each of these times. */
async function messagesAt(
  looks: readonly (readonly [now: number, at: At])[],
  params: JsonObject,
): Promise<readonly (readonly string[])[]> {
  const { daq, look } = await watchDaq(ALARM, params);
  const messages: (readonly string[])[] = [];
  for (const [now, at] of looks) {
    daq.clients.set("main", { status: statusOf("main", []) });
    if (at === undefined) daq.clients.delete("det1");
    else daq.clients.set("det1", { status: statusAt(at) });
    const outcome = await look(now);
    expect(outcome.reasons).toEqual([]);
    messages.push(subjectsOf(outcome).map((text) => text.replace("DAQJobTest of det1: ", "")));
  }
  return messages;
}

function statusAt(at: Exclude<At, undefined>): DaqState["status"] {
  if (typeof at === "number") return at;
  return "restarts" in at ? statusOf("det1", [], { [T]: at.restarts }) : statusOf("det1", at);
}

/** The job with this count of sent messages. */
function sent(out: number | null, more: Partial<JobFacts> = {}): readonly JobFacts[] {
  return [{ type: T, out, ...more }];
}

const SAYS = SILENT.message;

describe("a rule of an interval that is not satisfied", () => {
  test.each<[string, readonly (readonly [number, At])[], readonly string[]]>([
    ["is quiet at the first look", [[0, sent(5)]], []],
    [
      "is quiet while the count grows",
      [
        [0, sent(5)],
        [300, sent(6)],
      ],
      [],
    ],
    [
      "is quiet while the count falls: the job began again",
      [
        [0, sent(5)],
        [300, sent(1)],
      ],
      [],
    ],
    [
      "is quiet before the interval has passed",
      [
        [0, sent(5)],
        [9, sent(5)],
      ],
      [],
    ],
    [
      "reports a count that stays",
      [
        [0, sent(5)],
        [10, sent(5)],
      ],
      [SAYS],
    ],
    [
      "reports it once more at each look",
      [
        [0, sent(5)],
        [300, sent(5)],
        [600, sent(5)],
      ],
      [SAYS],
    ],
    [
      "ends when it grows again",
      [
        [0, sent(5)],
        [300, sent(5)],
        [600, sent(6)],
      ],
      [],
    ],
    [
      "reports a job that never has a count",
      [
        [0, sent(null)],
        [300, sent(null)],
      ],
      [SAYS],
    ],
    [
      "reports a job that is gone",
      [
        [0, sent(5)],
        [300, []],
      ],
      [SAYS],
    ],
    [
      "reports a job whose client is not listed any more",
      [
        [0, sent(5)],
        [300, undefined],
      ],
      [SAYS],
    ],
    [
      "reports a job whose client does not answer",
      [
        [0, sent(5)],
        [300, 502],
      ],
      [SAYS],
    ],
    [
      "has nothing to say of a client without such a job",
      [
        [0, []],
        [300, []],
      ],
      [],
    ],
  ])("%s", async (_sentence, looks, last) => {
    expect((await messagesAt(looks, { rules: [SILENT] })).at(-1)).toEqual(last);
  });

  test("says that a client does not answer while its interval has not passed", async () => {
    const looks = [
      [0, sent(5)],
      [5, 502],
    ] as const;
    const [, said] = await messagesAt(looks, { rules: [SILENT] });
    expect(said).toEqual([
      expect.stringMatching(/^det1 does not answer, so its rules cannot be checked: .*502/),
    ]);
  });

  test("does not ask a client that is silent", async () => {
    const { daq, look } = await watchDaq(ALARM, { rules: [SILENT] });
    daq.clients.set("det1", { lastSeen: "frozen", status: statusOf("det1", sent(5)) });
    await look(0);
    daq.requests.splice(0);
    expect(subjectsOf(await look(60))).toEqual([`DAQJobTest of det1: ${SAYS}`]);
    expect(daq.requests).toEqual(["/clients"]);
  });

  test("of a named client reports a job that was never there", async () => {
    const looks = [
      [0, []],
      [300, []],
    ] as const;
    const rules = [{ ...SILENT, client: "det1" }];
    expect((await messagesAt(looks, { rules })).at(-1)).toEqual([SAYS]);
  });

  test("uses what the other clients know of a dead one", async () => {
    const { daq, look } = await watchDaq(ALARM, { rules: [SILENT] });
    const combined = (out: number) => ({ ...statusOf("det1", sent(out)), daq_jobs: [] });
    const set = (det1: DaqState["status"], main: DaqState["status"]) => {
      daq.clients.set("main", { status: main });
      daq.clients.set("det1", { status: det1 });
    };
    set(statusOf("det1", sent(5)), combined(5));
    await look(0);
    // It grew until the client died.
    set(502, combined(9));
    expect(subjectsOf(await look(300))).toEqual([expect.stringContaining("does not answer")]);
    expect(subjectsOf(await look(600))).toEqual([`DAQJobTest of det1: ${SAYS}`]);
  });
});

describe("a rule of restarts", () => {
  const id = (instance: number, uniqueId: string) => sent(5, { instance, uniqueId });
  const says = RESTARTED.message;
  test.each<[string, readonly (readonly [number, At])[], readonly (readonly string[])[]]>([
    ["knows of none at the first look", [[0, id(1, "a")]], [[]]],
    [
      "is quiet while the ids stay",
      [
        [0, id(1, "a")],
        [30, id(1, "a")],
      ],
      [[], []],
    ],
    [
      "reports a new id, until the interval has passed",
      [
        [0, id(1, "a")],
        [300, id(2, "b")],
        [330, id(2, "b")],
        [600, id(2, "b")],
      ],
      [[], [says], [says], []],
    ],
    [
      "reports a job that waits for its restart",
      [
        [0, id(1, "a")],
        [300, { restarts: "soon" }],
      ],
      [[], [says]],
    ],
    [
      "takes a job that is gone for no restart",
      [
        [0, id(1, "a")],
        [300, []],
      ],
      [[], []],
    ],
    [
      "reports one that was gone",
      [
        [0, id(1, "a")],
        [300, []],
        [600, id(2, "b")],
      ],
      [[], [], [says]],
    ],
  ])("%s", async (_sentence, looks, messages) => {
    expect(await messagesAt(looks, { rules: [RESTARTED] })).toEqual(messages);
  });

  test("may be for all jobs, or for those of a client", async () => {
    const { daq, look } = await watchDaq(ALARM, {
      rules: [
        { ...RESTARTED, daq_job_type: "*", interval: "2m" },
        { ...RESTARTED, daq_job_type: "*", client: "det2", message: "of det2" },
      ],
    });
    const set = (status: (id: string) => DaqState["status"]) => {
      for (const client of ["det1", "det2"]) daq.clients.set(client, { status: status(client) });
    };
    set((of) => statusOf(of, id(1, "a")));
    expect(subjectsOf(await look(0))).toEqual([]);
    set((of) => statusOf(of, [], { [T]: "soon" }));
    expect(subjectsOf(await look(300))).toEqual([
      "DAQJobTest of det1: it restarted",
      "DAQJobTest of det2: it restarted",
      "DAQJobTest of det2: of det2",
    ]);
  });

  test("keeps its event while the client does not answer", async () => {
    const { daq, look } = await watchDaq(ALARM, { rules: [RESTARTED] });
    const set = (status: DaqState["status"]) => daq.clients.set("det1", { status });
    set(statusOf("det1", id(1, "a")));
    await look(0);
    set(statusOf("det1", id(2, "b")));
    expect((await look(300)).keys.size).toBe(1);
    set(502);
    const outcome = await look(600);
    expect([...outcome.keys]).toEqual(["client:det1:contact"]);
    expect([...outcome.scopes]).toMatchObject([["client:det1:", { isReported: true }]]);
  });
});

test.each([
  ["a queue that has reached it", 1000, "satisfied", [QUEUE.message]],
  ["no shorter queue", 999, "satisfied", []],
  ["one that has not, if that is asked", 999, "unsatisfied", [QUEUE.message]],
] as const)("a rule of an amount reports %s", async (_what, length, alert_if_interval_is, last) => {
  const rules = [{ ...QUEUE, alert_if_interval_is }];
  const looks = [[0, sent(5, { in: length })]] as const;
  expect(await messagesAt(looks, { rules })).toEqual([last]);
});

test("a job that is gone for a day is not expected any more, with words", async () => {
  const { daq, look } = await watchDaq(ALARM, { rules: [SILENT] });
  const set = (jobs: readonly JobFacts[]) =>
    daq.clients.set("det1", { status: statusOf("det1", jobs) });
  set(sent(5));
  await look(0);
  set([]);
  const key = "client:det1:rule:DAQJobTest:message_out_stats:unsatisfied:10s";
  expect([...(await look(86_400)).keys]).toEqual([key]);
  const { keys, clears, notes } = await look(86_700);
  expect([[...keys], [...clears.keys()]]).toEqual([[], [key]]);
  expect(notes).toEqual([]);
  expect((await look(87_000)).notes).toEqual(["rules[0] is not used: no client has a DAQJobTest"]);
});

test("the rules are checked, all at once", () => {
  const row = (changes: Partial<RuleRow>): RuleRow => {
    const base = { client: undefined, amount: undefined, severity: "error" } as const;
    return { ...SILENT, ...base, ...changes };
  };
  expect(parseRules([row({})])[0]?.wants).toEqual({ seconds: 10 });
  expect(parseRules([row({ interval: "2h" })])[0]?.wants).toEqual({ seconds: 7200 });
  expect(() =>
    parseRules([
      row({ interval: "10" }),
      row({ interval: "0m" }),
      row({ amount: 5 }),
      row({ interval: undefined }),
      row({ interval: undefined, amount: 5, stats_key: "restart_stats" }),
      row({}),
    ]),
  ).toThrow(
    [
      'rules[0].interval: must be like "30s", "5m" or "1h", found "10"',
      'rules[1].interval: must be like "30s", "5m" or "1h", found "0m"',
      "rules[2]: set either interval or amount",
      "rules[3]: set either interval or amount",
      "rules[4].amount: ENRGDAQ does not count restarts; use interval",
    ].join("; "),
  );
});

test("the rules in docs/alarms.md are right", async () => {
  const [, text = ""] = /```toml\n(# rules\.toml.*?)```/su.exec(docPage("alarms.md")) ?? [];
  const { rules } = parse(text);
  const { daq, look } = await watchDaq(ALARM, JSON.parse(JSON.stringify({ rules })));
  const store = { type: "DAQJobStoreCSV", in: 1000, supervisor: "daq-main" };
  daq.clients.set("daq-main", { status: statusOf("daq-main", [store]) });
  daq.clients.set("det1", { status: statusOf("det1", sent(5)) });
  await look(0);
  daq.clients.set("det1", { status: statusOf("det1", sent(5, { instance: 1 })) });
  expect(subjectsOf(await look(30)).toSorted()).toEqual([
    "DAQJobStoreCSV of daq-main: its queue is long",
    "DAQJobTest of det1: DAQJobTest has been unresponsive",
    "DAQJobTest of det1: crashed and got restarted",
  ]);
});

if (!hasRecording) console.log("skipped: no recorded ENRGDAQ beside this checkout");

test.skipIf(!hasRecording)(
  "the rule of the recorded DAQ, which raised nothing there, reports the job whose client was killed",
  async () => {
    const { daq, look } = await watchDaq(ALARM, {
      rules: [SILENT, { ...RESTARTED, daq_job_type: "*" }],
    });
    for (const poll of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const status = recorded(`06_status_main_poll${poll}.http200`);
      daq.clients.set("daq-main", { status });
      const det1 = recorded("11_status_det1_custom.http200");
      const { daq_job_stats } = status;
      daq.clients.set("daq-det1", {
        status: { ...det1, ...(daq_job_stats !== undefined && { daq_job_stats }) },
      });
      expect(subjectsOf(await look(poll))).toEqual([]);
    }
    const status = recorded("17_status_main_after_det1_dead.http200");
    daq.clients.set("daq-main", { status });
    daq.clients.set("daq-det1", { status: 504 });
    expect(subjectsOf(await look(49))).toEqual([expect.stringContaining("does not answer")]);
    expect(subjectsOf(await look(85))).toEqual([`DAQJobTest of daq-det1: ${SAYS}`]);
  },
);

describe("the body of an event says what the rule saw", () => {
  test.each([
    [
      "of a count that stands",
      SILENT,
      [
        [0, sent(5)],
        [300, sent(5)],
      ],
      [
        "message_out_stats: 5",
        "Latest change: seen by the tick of 1970-01-01 00:00:00 UTC",
        "Rule: alert if message_out_stats has not changed for 10s (unsatisfied)",
      ],
    ],
    [
      "of a job that restarted",
      RESTARTED,
      [
        [0, sent(5, { instance: 1, uniqueId: "a" })],
        [30, sent(5, { instance: 2, uniqueId: "b" })],
      ],
      [
        "Its instance_id and unique_id: 2 b",
        "Latest change: seen by the tick of 1970-01-01 00:00:30 UTC",
        "Rule: alert if restart_stats changed in the last 1m (satisfied)",
      ],
    ],
    [
      "of a job that is gone",
      SILENT,
      [
        [0, sent(5)],
        [300, []],
      ],
      [
        "message_out_stats: the client has no such job",
        "Latest change: seen by the tick of 1970-01-01 00:00:00 UTC",
        "Rule: alert if message_out_stats has not changed for 10s (unsatisfied)",
      ],
    ],
  ] as const)("%s", async (_sentence, rule, looks, expected) => {
    const { daq, look } = await watchDaq(ALARM, { rules: [rule] });
    let bodies: readonly string[] = [];
    for (const [now, jobs] of looks) {
      daq.clients.set("det1", { status: statusOf("det1", jobs) });
      bodies = (await look(now)).detections.map(({ body }) => body);
    }
    expect(bodies).toEqual([expected.join("\n")]);
  });
});
