import { expect, onTestFinished, test } from "vitest";
import { type ProxyResponse, startSampleProxy } from "../../src/demo/sample_proxy.ts";
import type { JsonObject } from "../../src/text/json.ts";
import type { WholeOutcome } from "../support/run_detect.ts";
import { keysOf, loadAlarm, runAlarm } from "./run_alarm.ts";

const ALARM = "panda_task_without_movement";
const NOW = Date.UTC(2026, 7, 20) / 1000;

function task(jeditaskid: number, hours: number, changes: JsonObject = {}): JsonObject {
  const time = new Date((NOW - hours * 3600) * 1000).toISOString().slice(0, 19);
  return {
    jeditaskid,
    taskname: `task.${jeditaskid}`,
    status: "exhausted",
    username: "ana",
    creationdate: "2026-08-01T00:00:00",
    modificationtime: time,
    ...changes,
  };
}

async function run(
  tasks: readonly JsonObject[],
  params: JsonObject = {},
  failure?: ProxyResponse,
): Promise<WholeOutcome> {
  const proxy = await startSampleProxy();
  onTestFinished(() => proxy.close());
  proxy.tasks = tasks;
  proxy.now = NOW;
  proxy.intercept = () => failure;
  return await runAlarm({
    alarm: ALARM,
    params: { max_hours: 24, ...params },
    sources: { main: proxy.baseUrl },
    now: NOW,
  });
}

test("it needs max_hours", async () => {
  expect((await loadAlarm(ALARM)).params.max_hours?.required).toBe(true);
});

test("a task that has not changed for max_hours is reported", async () => {
  const outcome = await run([task(3, 30.9), task(2, 24), task(1, 23.9)]);
  expect(keysOf(outcome)).toEqual({ status: "complete", keys: ["task:3", "task:2"] });
  expect(outcome.detections[0]).toEqual({
    dedupeKey: "task:3",
    subject: "task 3 (exhausted) has not changed for 30 h: task.3",
    body: "Owner: ana\nLast change: 2026-08-18T17:06:00 UTC",
    data: { metric: "30 h", jeditaskid: 3, status: "exhausted" },
    recipients: [],
  });
});

test("a task on the second page is reported", async () => {
  const tasks = Array.from({ length: 250 }, (_, index) => task(index + 1, index === 0 ? 48 : 1));
  expect(keysOf(await run(tasks))).toEqual({ status: "complete", keys: ["task:1"] });
});

test("another status is checked if it is set", async () => {
  const tasks = [task(2, 48), task(1, 48, { status: "paused" })];
  expect(keysOf(await run(tasks, { status: "paused" })).keys).toEqual(["task:1"]);
});

test("a task without a readable time makes the outcome partial; the others are reported", async () => {
  const outcome = await run([task(2, 0, { modificationtime: null }), task(1, 48)]);
  expect(keysOf(outcome)).toEqual({ status: "partial", keys: ["task:1"] });
  expect(outcome.reasons).toEqual(["task 2 has no readable modificationtime"]);
});

test("a login page is an error, not an empty list", async () => {
  const page = { status: 200, body: "<html>Log in</html>", contentType: "text/html" };
  expect(await run([task(1, 48)], {}, page)).toMatchObject({ status: "failed", detections: [] });
});
