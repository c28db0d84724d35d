import { expect, test } from "vitest";
import { sampleTasks } from "../../src/demo/sample_tasks.ts";

const TASKS = sampleTasks(1, 1_795_000_000);

test("the tasks fill more than one page, and each has its own id", () => {
  expect(TASKS.length).toBeGreaterThan(200);
  expect(new Set(TASKS.map(({ jeditaskid }) => jeditaskid)).size).toBe(TASKS.length);
});

test("rates are null where nothing has ended, and count files, not jobs", () => {
  const byId = new Map(TASKS.map((task) => [task.jeditaskid, task]));
  expect(byId.get(90406)).toMatchObject({
    computed_failurerate: null,
    computed_finalfailurerate: null,
    computed_progress: null,
  });
  // 96 of 616 files are lost, after three jobs each.
  expect(byId.get(90417)).toMatchObject({
    nfailed: 288,
    nfinished: 520,
    nfinalfailed: 96,
    nfilesfinished: 520,
    computed_failurerate: 0.3564,
    computed_finalfailurerate: 0.1558,
  });
});
