import { expect, test } from "vitest";
import { docExample } from "../support/doc_examples.ts";
import { DOWN, GONE, NOW, runRecipe } from "../support/recipes.ts";

const run = (id: string, start: string, more: object = {}) => ({ id, start, ...more });
const FILE = { file: "2026-11-27T09:10:00Z", checksum: "2026-11-27T09:15:00Z" };
/** What the list and the tape answer. */
const services = (runs: readonly object[], tape: { readonly [id: string]: unknown } = {}) => ({
  "/runs/": runs,
  ...Object.fromEntries(Object.entries(tape).map(([id, answer]) => [`/tape/${id}/`, answer])),
});

test("the example of expectations takes under forty lines", () => {
  expect(docExample("expectations").trimEnd().split("\n").length).toBeLessThan(40);
});

test.for([
  [
    "a run is on its way, and its copy is not asked for",
    services([
      run("1", "2026-11-27T17:30:00Z"),
      run("2", "2026-11-27T15:00:00Z", {
        file: "2026-11-27T15:10:00Z",
        checksum: "2026-11-27T15:15:00Z",
      }),
    ]),
    { firing: ["run:1:file"] },
    { detections: [], clears: [], notes: [], paths: ["/runs/"] },
  ],
  [
    "a file is missing, and only that is said",
    services([run("1", "2026-11-27T16:00:00Z")]),
    {},
    {
      detections: ["run:1: file is missing"],
      paths: ["/runs/"],
    },
  ],
  [
    "a run that was stopped has no file",
    services([run("1", "2026-11-27T16:00:00Z", { stopped: "2026-11-27T16:10:00Z" })]),
    { firing: ["run:1:file"] },
    { detections: [], clears: ["run:1:file: cancelled"] },
  ],
  [
    "a file came late, and its event ends",
    services([
      run("1", "2026-11-27T16:00:00Z", {
        file: "2026-11-27T17:00:31Z",
        checksum: "2026-11-27T17:02:00Z",
      }),
    ]),
    { firing: ["run:1:file"] },
    { detections: [], clears: ["run:1:file: late by 31 s"], notes: [] },
  ],
  [
    "a file came late between two ticks",
    services([
      run("1", "2026-11-27T16:00:00Z", {
        file: "2026-11-27T17:00:31Z",
        checksum: "2026-11-27T17:02:00Z",
      }),
    ]),
    {},
    { detections: [], clears: [], notes: ["run:1: file came 31 s late"] },
  ],
  [
    "no copy on tape",
    services([run("1", "2026-11-27T09:00:00Z", FILE)], { 1: GONE }),
    {},
    {
      detections: ["run:1: copy on tape is missing"],
      paths: ["/runs/", "/tape/1/"],
    },
  ],
  [
    "a copy on tape that is there",
    services([run("1", "2026-11-27T09:00:00Z", FILE)], { 1: { written: "2026-11-27T10:00:00Z" } }),
    { firing: ["run:1:tape"] },
    { detections: [], clears: [], notes: [] },
  ],
  [
    "a time that cannot be read",
    services([run("1", "2026-11-27T17:30:00Z", { file: "soon" })]),
    {},
    { detections: ["run:1: file is unusable"] },
  ],
  [
    "the tape does not answer for one run: its event stays, and those of the others end",
    services([run("1", "2026-11-27T09:00:00Z", FILE), run("2", "2026-11-27T09:00:00Z", FILE)], {
      1: DOWN,
      2: { written: "2026-11-27T10:00:00Z" },
    }),
    { firing: ["run:1:tape", "run:2:tape"] },
    { detections: [], clears: [], kept: ["run:1:tape"] },
  ],
  [
    "the list does not answer: nothing ends",
    { "/runs/": DOWN },
    { firing: ["run:1:tape"] },
    { status: "failed", detections: [], clears: [] },
  ],
  [
    "a start that cannot be read",
    services([run("1", "now")]),
    {},
    { detections: ["run:1: file is missing"] },
  ],
  [
    "a run that is too old for the list",
    services([]),
    { firing: ["run:1:tape"] },
    { detections: [], clears: ["run:1:tape: left the look-back"] },
  ],
] as const)("%s", async ([, responses, given, expected]) => {
  const outcome = await runRecipe("expectations", { responses, now: NOW, ...given });
  const found = {
    status: outcome.status,
    detections: outcome.detections.map(({ subject }) => subject),
    clears: outcome.clears.map(({ dedupeKey, clear }) => `${dedupeKey}: ${clear}`),
    notes: outcome.notes,
    kept: outcome.scopes.map(({ prefix }) => prefix),
    paths: outcome.requests.map(({ path }) => path),
  };
  expect(found).toMatchObject({ status: "complete", kept: [], ...expected });
});
