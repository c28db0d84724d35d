import { expect, test } from "vitest";
import { runData } from "../support/contract.ts";
import { only } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

/** `detect` forgets work that fails while it waits itself, and prints. */
const FORGETFUL = `
export async function* detect() {
  console.log("printed on the way");
  console.error("and this too");
  Promise.reject(new Error("nobody waited for me"));
  setTimeout(() => { throw new Error("nor for me"); }, 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  yield { dedupeKey: "a", subject: "A" };
}
`;

test("what a module forgot makes its outcome partial, and what it yields counts all the same", async () => {
  const site = await makeSite();
  site.module("forgetful.js", FORGETFUL);
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  const path = `${site.alarmsDir}/forgetful.js`;
  expect(result.stderr).toBe(
    `swf-alarms: forgetful: unhandled error in the module: nobody waited for me (at Object.detect (${path}:5:18)); is an await missing?; unhandled error in the module: nor for me (at Timeout._onTimeout (${path}:6:28))\n`,
  );
  const run = runData(only(await site.entries("engine_run")));
  expect(run).toMatchObject({ alarms_run: 1, alarms_seen: 1, errors: 1 });
  expect(run.error_details).toContain("nobody waited for me");
  expect(await site.entries("event")).toHaveLength(1);
});

test("what a module prints is in the log of -v and spoils no JSON", async () => {
  const site = await makeSite();
  site.module("chatty.js", `export function* detect() { console.log("hi"); }`);
  const plan = await site.tick("--plan", "--json");
  expect(plan).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(plan.stdout)).toMatchObject({ errors: [] });
  expect((await site.tick()).stdout).toBe("");
  expect((await site.tick("-v")).stdout).toMatch(/debug printed by a module: hi$/m);
});
