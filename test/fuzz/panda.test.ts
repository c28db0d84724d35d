import fc from "fast-check";
import { expect, test } from "vitest";
import { judge } from "../../alarms/lib/failure_rate.ts";
import * as panda from "../../alarms/panda_failure_rate_eic_all.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";
import { detect, fieldNames, value } from "./alarm_runs.ts";
import { mutate, mutations } from "./arbitraries.ts";
import { runs } from "./runs.ts";

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

const changes = mutations(value, fieldNames(SICK, { items: [] }), 3);

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

test("fields nested thousands deep are reasons like any other", async () => {
  const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
  for (const field of NEEDED) {
    const row: unknown = JSON.parse(`{ "${field}": ${deep} }`);
    if (isJsonObject(row)) expect(judge({ ...SICK, ...row }, PANDA).kind).toBe("unreadable");
  }
});
