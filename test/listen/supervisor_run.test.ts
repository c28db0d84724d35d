import { spawn, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { startByPs, startTicks, supervisorRun } from "../../src/listen/supervisor_run.ts";

describe("the run of a process", () => {
  test("stays the same, and has no colon", () => {
    expect(supervisorRun(process.ppid)).toBe(supervisorRun(process.ppid));
    expect(supervisorRun(process.ppid)).toMatch(/^\d+-[\da-f-]+$/);
  });

  test("is another for another process", () => {
    expect(supervisorRun(process.pid)).not.toBe(supervisorRun(process.ppid));
  });

  test("that has ended cannot be told", async () => {
    const child = spawn("true");
    await new Promise((resolve) => child.once("close", resolve));
    expect(() => supervisorRun(child.pid ?? 0)).toThrow(
      `cannot tell when process ${child.pid}, which started this command, began`,
    );
  });
});

/** Fields 3 to 22 of a process that began at tick 8412. */
const FIELDS = "S 1 77 77 0 -1 4194560 7251 0 12 0 43 20 0 0 20 0 1 0 8412 28463104 6021";

describe("the start in /proc", () => {
  test.each([
    ["of a plain name", `77 (supervisord) ${FIELDS}`],
    ["of a name with spaces and parentheses", `77 (a) b (c) ${FIELDS}`],
  ])("is found beside %s", (_, stat) => {
    expect(startTicks(stat)).toBe("8412");
  });

  test("is not made up", () => {
    expect(() => startTicks("77 (supervisord) S 1")).toThrow("has no start");
  });
});

const hasPs = spawnSync("ps", ["-o", "lstart=", "-p", String(process.pid)]).status === 0;
if (!hasPs) console.log("skipped: there is no ps");

test.skipIf(!hasPs)("without /proc, the start is in epoch seconds", () => {
  const began = Date.now() / 1000 - process.uptime();
  // ps counts from the start of the system, in whole seconds.
  expect(Math.abs(Number(startByPs(process.pid)) - began)).toBeLessThan(10);
});
