import fc from "fast-check";
import { expect, test } from "vitest";
import * as processes from "../../alarms/supervisord_processes.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { detect, fieldNames, NOW, value } from "./alarm_runs.ts";
import { mutate, mutations } from "./arbitraries.ts";
import { runs } from "./runs.ts";

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
  const fields = fieldNames(PROCESS, PROGRAM);
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
