import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { recordedSuperevents, startGracedb } from "./gracedb_server.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";
import { type RowFacts, supereventRow } from "./superevent_row.ts";

async function run(rows: readonly JsonObject[], params: JsonObject, at: string) {
  const gracedb = await startGracedb(rows);
  return await runAlarm({
    alarm: "gracedb_event_rate",
    params,
    sources: { gracedb: gracedb.url },
    now: parseUtc(at) ?? 0,
  });
}

const NOW = "2023-08-31 09:00:00 UTC";

/** Superevents of one pipeline, one a minute up to NOW. */
function many(count: number, more: Partial<RowFacts> = {}): JsonObject[] {
  return Array.from({ length: count }, (_, index) => {
    const minute = String(59 - index).padStart(2, "0");
    const facts = { created: `2023-08-31 08:${minute}:00 UTC`, labels: [], ...more };
    return supereventRow(`S230831${facts.pipeline ?? "gstlal"}${index}`, facts);
  });
}

const cases: readonly [sentence: string, rows: JsonObject[], keys: string[]][] = [
  ["as many as allowed are no detection", many(10), []],
  ["one more is", many(11), ["rate:CBC:gstlal"]],
  ["each pipeline has its own count", [...many(6), ...many(6, { pipeline: "pycbc" })], []],
  [
    "only the pipeline with too many is reported",
    [...many(12, { pipeline: "CWB", group: "Burst" }), ...many(6)],
    ["rate:Burst:CWB"],
  ],
  ["older ones do not count", many(11, { created: "2023-08-31 06:00:00 UTC" }), []],
  ["later ones do not count yet", many(11, { created: "2023-08-31 09:00:01 UTC" }), []],
  ["another category does not count", many(11, { category: "MDC" }), []],
];

test.each(cases)("%s", async (_sentence, rows, keys) => {
  expect(keysOf(await run(rows, {}, NOW))).toEqual({ status: "complete", keys });
});

test("says which superevents", async () => {
  const [found] = (await run(many(3), { max_events: 2 }, NOW)).detections;
  expect(found).toMatchObject({
    subject: "CBC:gstlal has 3 superevents in 10000 s, more than 2",
    body: "Superevents, newest first: S230831gstlal0, S230831gstlal1, S230831gstlal2",
    data: { metric: 3 },
  });
});

test("one that cannot be dated may belong to any pipeline: nothing clears", async () => {
  const outcome = await run(many(1, { created: "soon" }), {}, NOW);
  expect(outcome.status).toBe("partial");
});

const first = recordedSuperevents("4242c4c") ?? [];

describe.skipIf(first.length === 0)("on the recorded list of 30 August 2023", () => {
  test("the three candidates of spiir within half an hour are the most of any pipeline", async () => {
    const at = "2023-08-30 06:00:00 UTC";
    expect(keysOf(await run(first, {}, at)).keys).toEqual([]);
    expect(keysOf(await run(first, { max_events: 2 }, at)).keys).toEqual(["rate:CBC:spiir"]);
  });
});
