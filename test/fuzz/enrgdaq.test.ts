import fc from "fast-check";
import { expect, test } from "vitest";
import * as healthcheck from "../../alarms/enrgdaq_healthcheck.ts";
import * as supervisor from "../../alarms/enrgdaq_supervisor.ts";
import type { AlarmClient } from "../../src/source/client/client.ts";
import { isJsonObject, type JsonValue } from "../../src/text/json.ts";
import { logLine, statusOf } from "../alarms/enrgdaq_server.ts";
import { detect, NOW, value } from "./alarm_runs.ts";
import { anyJson, anyText, mutate, mutations } from "./arbitraries.ts";
import { runs } from "./runs.ts";

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
} as const;

test("ENRGDAQ's answers and whatever was remembered: detections that can be stored, and reasons", async () => {
  const names = fc.oneof(
    fc.constantFrom(
      "main",
      "a/b",
      "..",
      "",
      "a:b",
      "%3A",
      "daq_jobs",
      "DAQJobTest",
      "det1",
      "logs",
    ),
    anyText,
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
