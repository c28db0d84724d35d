import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

const HANGS = `export async function* detect() { yield { dedupeKey: "before" }; await new Promise(() => {}); }`;
const QUICK = `export const detect = () => [{ dedupeKey: "quick" }];`;

test("a tick whose time is up ends: what is finished counts, and each alarm that is not says so", async () => {
  const site = await makeSite({ engine: "tick_timeout = 20\nalarm_timeout = 300" });
  // More than there are processes, so that some have not begun.
  const hanging = Array.from({ length: 10 }, (_, index) => `hangs_${index}`);
  for (const name of hanging) site.module(`${name}.js`, HANGS);
  site.module("a_quick.js", QUICK);
  await site.withDatabase(async (db) => {
    for (const name of ["a_quick", ...hanging]) await insertAlarm(db, name);
  });
  expect((await site.tick()).code).toBe(1);
  const run = only(await site.entries("engine_run"));
  expect(perAlarm(run, "alarm_a_quick")).toMatchObject({ outcome: "complete", alarms_seen: 1 });
  for (const name of hanging) {
    const { outcome, error_message: message } = perAlarm(run, `alarm_${name}`);
    expect(outcome).toBe("failed");
    expect(message).toMatch(
      /^out of time: the tick's limit of 20 s has passed(; detect was not started)?/,
    );
  }
  expect(runData(run)).toMatchObject({ errors: 10 });
  expect(runData(run).finished_at).toBeDefined();
});
