import { afterEach, describe, expect, test } from "vitest";
import type { JsonObject } from "../../src/text/json.ts";
import { parseUtc } from "../../src/text/utc.ts";
import { type GracedbServer, recordedSuperevents, startGracedb } from "./gracedb_server.ts";
import { keysOf, runAlarm } from "./run_alarm.ts";
import { type RowFacts, supereventRow } from "./superevent_row.ts";

let gracedb: GracedbServer | undefined;
afterEach(async () => {
  await gracedb?.close();
  gracedb = undefined;
});

const OWN = "superevents/S230831a/files/";
const PREFERRED = "events/G230831/files/";
const NOW = "2023-08-31 08:30:00 UTC";

async function run(
  rows: readonly JsonObject[],
  answers: readonly (readonly [path: string, answer: JsonObject | number])[],
  at = NOW,
  firing: readonly string[] = [],
) {
  gracedb = await startGracedb(rows);
  for (const [path, answer] of answers) gracedb.answers.set(path, answer);
  const outcome = await runAlarm({
    alarm: "gracedb_label_consistency",
    params: {},
    sources: { gracedb: gracedb.url },
    now: parseUtc(at) ?? 0,
    firing,
  });
  return { outcome, requests: gracedb.requests.slice(1) };
}

function row(labels: readonly string[], more: Partial<RowFacts> = {}): JsonObject {
  return supereventRow("S230831a", { created: "2023-08-31 08:00:00 UTC", labels, ...more });
}

const MAP = { "bayestar.multiorder.fits": "https://…", "bayestar.multiorder.fits,0": "https://…" };
const OTHER = { "em_bright.json": "https://…" };

const cases: readonly [
  sentence: string,
  row: JsonObject,
  answers: readonly (readonly [string, JsonObject | number])[],
  keys: readonly string[],
  requests: number,
][] = [
  ["a label with its map", row(["SKYMAP_READY"]), [[OWN, MAP]], [], 1],
  ["a label of the preferred event", row([], { preferred: ["SKYMAP_READY"] }), [[OWN, MAP]], [], 1],
  ["neither label nor map", row([]), [[OWN, OTHER]], [], 1],
  [
    "a label whose map is with the preferred event, as no alert was sent",
    row(["SKYMAP_READY"]),
    [
      [OWN, OTHER],
      [PREFERRED, MAP],
    ],
    [],
    2,
  ],
  [
    "a label without a map anywhere",
    row(["SKYMAP_READY"]),
    [
      [OWN, OTHER],
      [PREFERRED, OTHER],
    ],
    ["S230831a:label_without_file"],
    2,
  ],
  [
    "EM_READY without a map",
    row(["EM_READY"]),
    [
      [OWN, {}],
      [PREFERRED, {}],
    ],
    ["S230831a:label_without_file"],
    2,
  ],
  ["a map without a label", row(["EM_READY"]), [[OWN, MAP]], ["S230831a:file_without_label"], 1],
  [
    "one that is too young",
    row(["SKYMAP_READY"], { created: "2023-08-31 08:20:00 UTC" }),
    [],
    [],
    0,
  ],
  ["one that is too old", row(["SKYMAP_READY"], { created: "2023-08-31 02:00:00 UTC" }), [], [], 0],
  ["one that is not rare", row(["SKYMAP_READY"], { far: 1e-4 }), [], [], 0],
];

test.each(cases)("%s", async (_sentence, superevent, answers, keys, count) => {
  const { outcome, requests } = await run([superevent], answers);
  expect(keysOf(outcome)).toEqual({ status: "complete", keys });
  expect(outcome.scopes.size).toBe(0);
  expect(requests).toHaveLength(count);
});

const hidden: readonly [
  sentence: string,
  answers: readonly (readonly [string, JsonObject | number])[],
][] = [
  ["files that are refused", [[OWN, 403]]],
  ["files that the user may not see", []],
  ["files of the preferred event that the user may not see", [[OWN, OTHER]]],
];

test.each(hidden)(
  "%s: it could not be checked, and nothing is reported",
  async (_sentence, answers) => {
    const { outcome } = await run([row(["SKYMAP_READY"])], answers);
    expect(outcome.detections).toEqual([]);
    expect([...outcome.scopes.keys()]).toEqual(["S230831a:"]);
  },
);

test.each([
  [
    "one that is too old for the list has left the look-back",
    "2023-08-31 14:00:01 UTC",
    [["S230831a:label_without_file", "left the look-back"]],
  ],
  ["one that is in the list ends as usual", "2023-08-31 13:59:59 UTC", []],
])("%s", async (_sentence, at, clears) => {
  const firing = ["S230831a:label_without_file"];
  const { outcome } = await run([row(["SKYMAP_READY"])], [[OWN, MAP]], at, firing);
  expect(outcome).toMatchObject({ status: "complete", detections: [] });
  expect([...outcome.clears]).toEqual(clears);
});

const first = recordedSuperevents("4242c4c") ?? [];

describe.skipIf(first.length === 0)("on the recorded list of 31 August 2023", () => {
  test("asks for the files of the four superevents of the last six hours", async () => {
    const ids = ["S230831ar", "S230831ai", "S230831aa", "S230831p"];
    const answers = ids.map((id) => [`superevents/${id}/files/`, MAP] as const);
    const { outcome, requests } = await run(first, answers, "2023-08-31 09:04:11 UTC");
    expect(keysOf(outcome)).toEqual({ status: "complete", keys: [] });
    expect(requests).toEqual(ids.map((id) => `/api/superevents/${id}/files/`));
  });
});
