import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { testAlarm } from "../../../src/testing.ts";

/** Follows the entities of the service, whose sights it returns by what is looked for. */
const MODULE = `
import { follow } from "swf-alarms";
export const GRAPH = { expectations: [
  { name: "map", want: "map", within: 100 },
  { name: "notice", want: "notice", within: 60, after: ["map"], when: { not: "quiet" } },
] };
export async function* detect(client) {
  const { now, incomplete: unknown, note, states: seen } = client;
  const firing = new Set(await client.firing());
  const id = (entity) => entity.id;
  const look = (entity, want) => entity[want] ?? false;
  for (const entity of await client.get("/entities/"))
    yield* follow({ graph: GRAPH, now, id, start: () => 1000, look, unknown, firing, note, seen }, entity);
}`;

test.for<
  readonly [
    string,
    { readonly [want: string]: unknown },
    {
      readonly kept: readonly string[];
      readonly clears: readonly string[];
      readonly detects: readonly string[];
    },
  ]
>([
  ["met in time", { map: 1010, notice: 1020 }, { kept: [], clears: [], detects: [] }],
  ["not expected any more", { map: 1010, quiet: 1015 }, { kept: [], clears: [], detects: [] }],
  [
    "late",
    { map: 1010, notice: 1080 },
    { kept: [], clears: ["S:notice: late by 10 s"], detects: [] },
  ],
  ["missing, and a child waits for it", {}, { kept: [], clears: [], detects: ["S:map"] }],
  [
    "unknown: it is kept, and so is what waits for it",
    { map: { unknown: "504" } },
    { kept: ["S:map", "S:notice"], clears: [], detects: [] },
  ],
  [
    "unknown because of its guard",
    { map: 1010, quiet: { unknown: "504" } },
    { kept: ["S:notice"], clears: [], detects: [] },
  ],
])("what is firing and is %s", async ([, sights, expected]) => {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-follow-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "followed.js");
  writeFileSync(path, MODULE);
  const outcome = await testAlarm(path, {
    now: 1300,
    responses: { "/entities/": [{ id: "S", ...sights }] },
    firing: ["S:map", "S:notice", "T:map"],
  });
  expect(outcome).toMatchObject({ status: "complete", reasons: [], notes: [] });
  expect({
    kept: outcome.scopes.map(({ prefix }) => prefix),
    clears: outcome.clears.map(({ dedupeKey, clear }) => `${dedupeKey}: ${clear}`),
    detects: outcome.detections.map(({ dedupeKey }) => dedupeKey),
  }).toEqual(expected);
});
