import fc from "fast-check";
import { expect, test } from "vitest";
import * as healthcheck from "../../alarms/enrgdaq_healthcheck.ts";
import * as supervisor from "../../alarms/enrgdaq_supervisor.ts";
import * as alertFlow from "../../alarms/gracedb_alert_flow.ts";
import * as gracedb from "../../alarms/gracedb_awaiting_decision.ts";
import * as eventRate from "../../alarms/gracedb_event_rate.ts";
import * as followup from "../../alarms/gracedb_followup.ts";
import * as heartbeat from "../../alarms/gracedb_heartbeat.ts";
import * as labelConsistency from "../../alarms/gracedb_label_consistency.ts";
import * as host from "../../alarms/host_resources.ts";
import { judge } from "../../alarms/lib/failure_rate.ts";
import { parseStatuses, problemOf } from "../../alarms/lib/http_expected.ts";
import { parseCpuTimes, parseProcess } from "../../alarms/lib/proc.ts";
import * as panda from "../../alarms/panda_failure_rate_eic_all.ts";
import * as processes from "../../alarms/supervisord_processes.ts";
import { parseDetection } from "../../src/core/detection.ts";
import { makeClient } from "../../src/source/client/alarm_client.ts";
import type { AlarmClient } from "../../src/source/client/client.ts";
import { FetchError } from "../../src/source/fetch_error.ts";
import type { Requester } from "../../src/source/requester.ts";
import { writeAnswer } from "../../src/source/xmlrpc/write_answer.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";
import { logLine, statusOf } from "../alarms/enrgdaq_server.ts";
import { CLIENT_FACTS } from "../support/client_facts.ts";
import { jsonResponse, NOT_FOUND, textResponse } from "../support/responses.ts";
import { anyJson, anyText, mutate, mutations, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const NOW = 1_700_000_000;

interface Seen {
  readonly keys: readonly string[];
  readonly reasons: readonly string[];
}

/** Runs `detect` on a service that gives these answers, by path. Throws whatever it throws but a FetchError. */
async function detect(
  run: (client: AlarmClient) => AsyncIterable<unknown>,
  answer: (path: string) => JsonValue | undefined,
  previous?: JsonValue,
): Promise<Seen> {
  const asker: Requester = {
    kind: "http",
    request: async ({ path }) => {
      const value = answer(path);
      return value === undefined ? NOT_FOUND : jsonResponse(value);
    },
  };
  const called: Requester = {
    kind: "xmlrpc",
    request: async ({ path }) => textResponse(writeAnswer(answer(path) ?? null)),
  };
  const reasons: string[] = [];
  const keys: string[] = [];
  const client = makeClient({
    ...CLIENT_FACTS,
    sources: new Map([
      ["main", asker],
      ["gracedb", asker],
      ["enrgdaq", asker],
      ["supervisord", called],
    ]),
    now: NOW,
    onIncomplete: (reason) => reasons.push(reason),
    ...(previous !== undefined && {
      previous: async () => JSON.parse(JSON.stringify({ at: NOW - 300, value: previous })),
    }),
  });
  try {
    for await (const value of run(client)) {
      const parsed = parseDetection(value);
      if (!parsed.ok) throw new Error(parsed.error);
      if ("clear" in parsed) throw new Error("a clear");
      expect(parsed.detection.subject).toMatch(ONE_LINE);
      keys.push(parsed.detection.dedupeKey);
    }
  } catch (error) {
    if (!(error instanceof FetchError)) throw error;
    expect(reasons).toContain(error.message);
  }
  for (const reason of reasons) {
    expect(reason).toMatch(ONE_LINE);
    expect(reason.length).toBeLessThan(1_000);
  }
  return { keys, reasons };
}

const SICK: JsonObject = {
  jeditaskid: 7,
  taskname: "a task",
  status: "running",
  username: "somebody",
  site: null,
  failurerate: null,
  nactive: 1,
  nfinished: 100,
  nfailed: 100,
  nretries: 0,
  nfinalfailed: 25,
  nfilesfinished: 100,
  computed_failurerate: 0.5,
  computed_finalfailurerate: 0.2,
};
const HEALTHY: JsonObject = {
  ...SICK,
  jeditaskid: 6,
  nfailed: 0,
  nfinalfailed: 0,
  computed_failurerate: 0,
  computed_finalfailurerate: 0,
};
const TASKS: JsonValue = { items: [SICK, HEALTHY], has_more: false, next_before_id: null };
const LIMITS = { threshold: 0.03, since_days: 1, min_terminal_jobs: 5, statuses: [] };
const PANDA = {
  ...LIMITS,
  username: undefined,
  processingtype: undefined,
  confidence: undefined,
};

const name = fc.oneof(fc.constantFrom(...Object.keys(SICK), "items", "created", "labels"), anyText);
/** Near what a service sends: other numbers, sentinels, and any JSON. */
const value: fc.Arbitrary<JsonValue> = fc.oneof(
  anyJson,
  fc.constantFrom<JsonValue[]>(null, -1, "0.2", "", 0, 1, 2, "running", "failed", 1e308, [], {}),
);
const changes = mutations(value, name, 3);

test("PanDA's answers, whatever is in them: detections that can be stored, and reasons", async () => {
  await fc.assert(
    fc.asyncProperty(changes, async (given) => {
      const answer = mutate(TASKS, given);
      const { keys, reasons } = await detect(
        (client) => panda.detect(client, PANDA),
        () => answer,
      );
      const items = isJsonObject(answer) && Array.isArray(answer.items) ? answer.items : undefined;
      if (items === undefined) expect(reasons).not.toEqual([]);
      // The sick task is told, is told to be unreadable, or is no longer one.
      const isThere = items?.some((item) => JSON.stringify(item) === JSON.stringify(SICK)) === true;
      if (isThere) expect(keys.includes("task:7") || reasons.length > 0).toBe(true);
    }),
    runs(10),
  );
});

const NEEDED = ["jeditaskid", "status", "computed_finalfailurerate", "nfailed", "nfinished"];

test("a sick task whose needed field is missing or of another type is never taken for a healthy one", () => {
  const wrong = value.filter(
    (item) => typeof item !== "number" && typeof item !== "string" && item !== null,
  );
  fc.assert(
    fc.property(fc.constantFrom(...NEEDED), fc.option(wrong, { nil: undefined }), (field, item) => {
      const { [field]: _, ...rest } = SICK;
      const row: JsonObject = item === undefined ? rest : { ...rest, [field]: item };
      // Without the newer rate the older one counts, which is as sick.
      const isOlder = field === "computed_finalfailurerate" && item === undefined;
      expect(judge(row, PANDA).kind).toBe(isOlder ? "fires" : "unreadable");
    }),
    runs(5),
  );
});

const SUPEREVENT: JsonObject = {
  superevent_id: "S231114a",
  category: "Production",
  created: "2023-11-14 20:00:00 UTC",
  far: 1e-9,
  labels: ["ADVREQ", "EM_READY"],
  preferred_event_data: { group: "CBC", pipeline: "gstlal" },
};
const SUPEREVENTS: JsonValue = {
  superevents: [SUPEREVENT],
  links: { next: null, self: "http://gracedb.example/api/superevents/" },
};
const LABELS: JsonValue = {
  labels: [{ name: "ADVREQ", created: "2023-11-14 20:10:00 UTC" }],
  links: {},
};
const GRACEDB = { waiting_minutes: 30, query: "label: ADVREQ", categories: undefined };

test("GraceDB's answers, whatever is in them: detections that can be stored, and reasons", async () => {
  const odd = fc.constantFrom<JsonValue[]>(
    "..",
    "../x",
    "\ud800",
    "a/b",
    "a\nb",
    "ADVREQ",
    "ADVOK",
    "?",
  );
  await fc.assert(
    fc.asyncProperty(
      mutations(fc.oneof(value, odd), name, 2),
      fc.option(mutations(fc.oneof(value, odd), name, 2), { nil: undefined }),
      async (listChanges, labelChanges) => {
        const list = mutate(SUPEREVENTS, listChanges);
        const labels = labelChanges === undefined ? undefined : mutate(LABELS, labelChanges);
        const { keys, reasons } = await detect(
          (client) => gracedb.detect(client, GRACEDB),
          (path) => (path === "superevents/" ? list : labels),
        );
        const [row] = isJsonObject(list) && Array.isArray(list.superevents) ? list.superevents : [];
        if (row === undefined || labels !== undefined) return;
        // Without label records, a superevent that waits is told unless something is said.
        if (JSON.stringify(row) === JSON.stringify(SUPEREVENT))
          expect(keys.includes("superevent:S231114a") || reasons.length > 0).toBe(true);
      },
    ),
    runs(10),
  );
});

/** A confirmed superevent without its initial notice. */
const CONFIRMED: JsonObject = {
  ...SUPEREVENT,
  labels: ["SKYMAP_READY", "EM_READY", "SIGNIF_LOCKED", "DQOK", "GCN_PRELIM_SENT", "ADVOK"],
  preferred_event_data: { group: "Burst", pipeline: "cwb" },
};
const CONFIRMED_LABELS: JsonValue = {
  labels: [
    { name: "SIGNIF_LOCKED", created: "2023-11-14 20:01:00 UTC" },
    { name: "ADVOK", created: "2023-11-14 20:10:00 UTC" },
  ],
};
const MOCK: JsonObject = { ...SUPEREVENT, category: "MDC", labels: [] };
const NOTICES: JsonValue = {
  numRows: 1,
  voevents: [{ voevent_type: "PR", created: "2023-11-14 20:05:00 UTC", N: 1 }],
};
const LOG: JsonValue = {
  numRows: 1,
  log: [{ comment: "", created: "2023-11-14 20:05:00 UTC", filename: "x.fits", tag_names: [] }],
};
const WHICH = { look_back_hours: 72, categories: [], far_limit: 1e-4 };

interface Watched {
  readonly alarm: string;
  readonly run: (client: AlarmClient) => AsyncIterable<unknown>;
  readonly row: JsonObject;
  /** What is reported of it. */
  readonly key: string;
  /** Responses by the end of their path. */
  readonly intact: { readonly [end: string]: JsonValue };
  /** Those in which anything may be wrong. */
  readonly odd: { readonly [end: string]: JsonValue };
}

const WATCHED: readonly Watched[] = [
  {
    alarm: "gracedb_followup",
    run: (client) => followup.detect(client, { ...WHICH, owners: [] }),
    row: SUPEREVENT,
    key: "S231114a:sky_map",
    intact: {},
    odd: { "labels/": LABELS, "logs/": LOG },
  },
  {
    alarm: "gracedb_alert_flow",
    run: (client) =>
      alertFlow.detect(client, { ...WHICH, decision_minutes: 60, update_minutes: 60 }),
    row: CONFIRMED,
    key: "S231114a:initial",
    intact: { "labels/": CONFIRMED_LABELS },
    odd: { "voevents/": NOTICES, "logs/": LOG },
  },
  {
    alarm: "gracedb_label_consistency",
    run: (client) => labelConsistency.detect(client, { ...WHICH, grace_minutes: 15 }),
    row: SUPEREVENT,
    key: "S231114a:label_without_file",
    intact: {},
    odd: { "files/": { "em_bright.json": "", "p_astro.json": "" } },
  },
  {
    alarm: "gracedb_event_rate",
    run: (client) =>
      eventRate.detect(client, { window_seconds: 10_000, max_events: 0, categories: [] }),
    row: SUPEREVENT,
    key: "rate:CBC:gstlal",
    intact: {},
    odd: {},
  },
  {
    alarm: "gracedb_heartbeat",
    run: (client) => heartbeat.detect(client, { event_minutes: 70, notice_minutes: 90, newest: 3 }),
    row: MOCK,
    key: "mock_notice",
    intact: {},
    odd: { "voevents/": NOTICES },
  },
];

test.each(WATCHED)(
  "$alarm: whatever is in GraceDB's answers, detections that can be stored, and reasons",
  async ({ run, row, key, intact, odd }) => {
    const answers = (list: JsonValue, others: Watched["odd"]) => (path: string) => {
      if (path === "superevents/") return list;
      const end = path.replace(/^.*\/(?=\w+\/$)/, "");
      return others[end] ?? intact[end];
    };
    const list: JsonValue = { superevents: [row], links: { next: null } };
    expect((await detect(run, answers(list, odd))).keys).toContain(key);
    await fc.assert(
      fc.asyncProperty(mutations(value, name, 2), changes, async (listChanges, oddChanges) => {
        const changed = Object.fromEntries(
          Object.entries(odd).map(([end, answer]) => [end, mutate(answer, oddChanges)]),
        );
        const { keys, reasons } = await detect(run, answers(list, changed));
        // It is told, or it is told why that is not known.
        expect(keys.includes(key) || reasons.length > 0).toBe(true);
        await detect(run, answers(mutate(list, listChanges), changed));
      }),
      runs(3),
    );
  },
);

test("a superevent whose needed field is missing or of another type is never passed over in silence", async () => {
  // An integer beyond 2^53 arrives as a string.
  const isLong = (item: unknown): boolean =>
    typeof item === "number" && Math.abs(item) > Number.MAX_SAFE_INTEGER;
  const wrong = value.filter(
    (item) => typeof item !== "string" && !Array.isArray(item) && !isLong(item),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("superevent_id", "labels", "created"),
      fc.option(wrong, { nil: undefined }),
      async (field, item) => {
        const { [field]: _, ...rest } = SUPEREVENT;
        const row: JsonObject = item === undefined ? rest : { ...rest, [field]: item };
        const { reasons } = await detect(
          (client) => gracedb.detect(client, GRACEDB),
          (path) =>
            path === "superevents/" ? { superevents: [row], links: { next: null } } : undefined,
        );
        expect(reasons).not.toEqual([]);
      },
    ),
    runs(5),
  );
});

test("what /proc may say: counts, or nothing", () => {
  const line = fc.array(fc.oneof(fc.integer({ min: 0 }).map(String), anyText), { maxLength: 12 });
  fc.assert(
    fc.property(line, anyText, anyText, (fields, text, cmdline) => {
      const times = parseCpuTimes(`cpu  ${fields.join(" ")}\n`);
      if (times !== null) expect(times.busy).toBeLessThanOrEqual(times.total);
      const status = `Name:\t${text}\nPid:\t7\nPPid:\t1\nVmRSS:\t${fields[0]} kB\n`;
      const process = parseProcess(status, cmdline);
      if (process !== null) expect(process.rss).toBeGreaterThanOrEqual(0);
    }),
    runs(5),
  );
});

test("the resources of a host, whatever was remembered: no reason, and at most one CPU", async () => {
  const limits = [{ what: "cpu", above: 100, of: undefined, severity: undefined }];
  await fc.assert(
    fc.asyncProperty(anyJson, async (value) => {
      const reasons: string[] = [];
      const client = makeClient({
        ...CLIENT_FACTS,
        sources: new Map(),
        now: NOW,
        previous: async () => JSON.parse(JSON.stringify({ at: NOW - 300, value })),
        onIncomplete: (reason) => reasons.push(reason),
      });
      for await (const found of host.detect(client, { limits, supervisor: undefined }))
        expect(found).toBeUndefined();
      expect(reasons).toEqual([]);
    }),
    runs(20),
  );
});

test("what an endpoint answers: one problem in one line, or none", () => {
  const answer = fc.record({
    kind: fc.constant("answer" as const),
    status: fc.integer({ min: 0, max: 999 }),
    location: fc.option(anyText, { nil: undefined }),
    body: anyText,
    isWhole: fc.boolean(),
    seconds: fc.double({ min: 0, max: 50, noNaN: true }),
    certificateEnd: fc.constant(undefined),
  });
  const failure = fc.record({ kind: fc.constant("failed" as const), reason: anyText });
  fc.assert(
    fc.property(fc.oneof(answer, failure), anyText, anyText, (each, status, text) => {
      const isStatus = parseStatuses(status) ?? ((code: number) => code === 200);
      const problem = problemOf(each, { status: "200", isStatus, text });
      if (problem !== undefined) expect(problem.text).toMatch(ONE_LINE);
      else expect(each).toMatchObject({ kind: "answer", body: expect.stringContaining(text) });
    }),
    runs(5),
  );
});

const PROCESS: JsonObject = {
  name: "daq",
  group: "detectors",
  start: NOW - 3600,
  stop: NOW - 60,
  now: NOW,
  statename: "FATAL",
  spawnerr: "Exited too quickly",
  stderr_logfile: "/var/log/daq.err",
  pid: 0,
};
const PROGRAM: JsonObject = {
  name: "late",
  group: "late",
  autostart: true,
  startsecs: 1,
  stopwaitsecs: 10,
};
const SUPERVISORS = {
  supervisors: [{ source: "supervisord", must_run: ["detectors:*"] }],
  patience_seconds: 60,
  restarts: 3,
  restart_minutes: 30,
};

test("supervisord's answers, whatever is in them: detections that can be stored, and reasons", async () => {
  const fields = fc.oneof(fc.constantFrom(...Object.keys({ ...PROCESS, ...PROGRAM })), anyText);
  const times = fc.constantFrom<JsonValue[]>(2 ** 31 - 1, -1, 1e11, 1e300, "EXITED", "STOPPED");
  const odd = mutations(fc.oneof(value, times), fields, 3);
  const state = { statecode: 1, statename: "RUNNING" };
  await fc.assert(
    fc.asyncProperty(odd, odd, odd, async (stateChanges, processChanges, programChanges) => {
      const rows = mutate([PROCESS, { ...PROCESS, name: "other" }], processChanges);
      const { keys, reasons } = await detect(
        (client) => processes.detect(client, SUPERVISORS),
        (path) =>
          path === "supervisor.getState"
            ? mutate(state, stateChanges)
            : path === "supervisor.getAllProcessInfo"
              ? rows
              : mutate([PROGRAM], programChanges),
      );
      for (const key of keys) expect(key).toMatch(/^supervisord:/);
      const isThere = JSON.stringify(rows).includes(JSON.stringify(PROCESS));
      const isTold = ["supervisord:detectors:daq:down", "supervisord:supervisor"].some((key) =>
        keys.includes(key),
      );
      if (isThere) expect(isTold || reasons.length > 0).toBe(true);
    }),
    runs(10),
  );
});

const DAQ_CLIENTS: JsonValue = {
  main: { identity: null, last_seen: "2026-11-20T15:48:08.555979" },
  det1: { identity: "ZGFx", last_seen: "2026-11-20T15:48:08.555967" },
};
const DAQ_STATUS: JsonValue = statusOf("det1", [
  { type: "DAQJobTest", rss: 5000 },
  { type: "DAQJobStoreCSV", supervisor: "remote_custom", instance: 2 },
]);
const DAQ_LOGS: JsonValue = { logs: [logLine("ERROR", "it broke", "2026-11-20T15:48:08.555967")] };
const SUPERVISOR = {
  silent_seconds: 60,
  window_minutes: 20,
  restarts: 3,
  out_per_second: 0.5,
  rss_mb: 1000,
  log_errors: 1,
  jobs: [],
  required_jobs: ["DAQJobStore"],
  expected_clients: [],
  ignore_clients: [],
  forget_hours: 24,
};
const RULE = {
  daq_job_type: "DAQJobTest",
  client: undefined,
  stats_key: "message_out_queue_stats",
  interval: undefined,
  amount: 0,
  alert_if_interval_is: "satisfied",
  message: "it is there",
  severity: "error",
};

test("ENRGDAQ's answers and whatever was remembered: detections that can be stored, and reasons", async () => {
  const names = fc.oneof(
    fc.constantFrom("main", "a/b", "..", "", "a:b", "%3A", "daq_jobs", "DAQJobTest", "det1"),
    name,
  );
  const odd = mutations(value, names, 2);
  const memory: JsonValue = {
    track: { times: [NOW - 300], keys: { "here:det1:DAQJobTest:0": [[true, 0, 0]] } },
    logs: { det1: { mark: "", errors: 1 } },
  };
  const given = fc.record({
    clients: odd,
    status: odd,
    logs: odd,
    memory: fc.oneof(
      anyJson,
      mutations(value, names, 2).map((each) => mutate(memory, each)),
    ),
  });
  await fc.assert(
    fc.asyncProperty(given, async (changes) => {
      const clients = mutate(DAQ_CLIENTS, changes.clients);
      const status = mutate(DAQ_STATUS, changes.status);
      const logs = mutate(DAQ_LOGS, changes.logs);
      const answer = (path: string) =>
        path === "clients" ? clients : path.endsWith("status") ? status : logs;
      const run = async (detectOf: (client: AlarmClient) => AsyncIterable<unknown>) => {
        try {
          return await detect(detectOf, answer, changes.memory);
        } catch (error) {
          // A list of clients that is none is said to be none.
          expect(String(error)).toContain("/clients is");
          return undefined;
        }
      };
      const seen = await run((client) => supervisor.detect(client, SUPERVISOR));
      const rules = await run((client) => healthcheck.detect(client, { rules: [RULE] }));
      // An untouched client whose status is untouched: its job is told.
      const isThere = JSON.stringify(status) === JSON.stringify(DAQ_STATUS);
      if (!isThere || !isJsonObject(clients) || !("det1" in clients)) return;
      expect(seen?.keys).toContain("client:det1:job:DAQJobTest:memory");
      expect(rules?.keys.join()).toContain("client:det1:rule:DAQJobTest:");
    }),
    runs(10),
  );
});

test("fields nested thousands deep are reasons like any other", async () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  for (const field of NEEDED) {
    const row: unknown = JSON.parse(`{ "${field}": ${deep} }`);
    if (isJsonObject(row)) expect(judge({ ...SICK, ...row }, PANDA).kind).toBe("unreadable");
  }
});
