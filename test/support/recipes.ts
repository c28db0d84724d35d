import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { type AlarmTest, testAlarm } from "../../src/testing.ts";
import { docExample } from "./doc_examples.ts";

export const NOW = "2026-11-27T18:00:00Z";
export const DOWN = { status: 503, body: "down for maintenance" };
export const GONE = { status: 404, body: { detail: "Not found." } };
export const PROXY_404 = {
  status: 404,
  body: "<html>404 Not Found</html>",
  headers: { "content-type": "text/html" },
};

/** What a run would do to the events that are firing. */
interface Row extends AlarmTest {
  readonly firing?: readonly string[];
  readonly detects: readonly string[];
  /** Of the firing events; no others end. */
  readonly ends?: readonly string[];
  /** Parts of what it reports; nothing else is reported. */
  readonly reports?: readonly string[];
}

/** Runs the module of docs/recipes.md as it stands there. */
export async function runRecipe(recipe: string, test: AlarmTest) {
  const source = docExample(recipe);
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-recipe-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "alarms"));
  const path = join(folder, /^\/\/ (alarms\/[a-z_]+\.ts)\n/.exec(source)?.[1] ?? "no name");
  writeFileSync(path, source);
  return await testAlarm(path, { now: NOW, ...test });
}

/** Tests a recipe with one test for each row. */
export function checkRecipe(recipe: string, rows: readonly (readonly [string, Row])[]): void {
  describe(recipe, () => {
    test.for(rows)("%s", async ([, { detects, ends = [], reports = [], ...given }]) => {
      const { status, reasons, scopes, detections, clears, notes } = await runRecipe(recipe, given);
      const keys = detections.map(({ dedupeKey }) => dedupeKey);
      const isKept = (key: string): boolean =>
        status !== "complete" || scopes.some(({ prefix }) => key.startsWith(prefix));
      expect({
        keys,
        ends: (given.firing ?? []).filter((key) => !keys.includes(key) && !isKept(key)),
        reports: [...reasons, ...scopes.map(({ reason }) => reason)],
        clears,
        notes,
      }).toEqual({
        keys: detects,
        ends,
        reports: reports.map((part) => expect.stringContaining(part)),
        clears: [],
        notes: [],
      });
    });
  });
}
