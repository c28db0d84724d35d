import assert from "node:assert/strict";
import { test } from "node:test";
import { testAlarm } from "swf-alarms/testing";

const ALARM = new URL("./__NAME__.ts", import.meta.url);
const page = (...items) => ({ items, has_more: false, next_before_id: null });

test("a task with the status is detected", async () => {
  const task = { jeditaskid: 1, status: "exhausted", taskname: "one", username: "ana" };
  const { reasons, detections } = await testAlarm(ALARM, {
    params: { status: "exhausted" },
    responses: { "/api/panda/tasks/": page(task) },
  });
  assert.deepEqual(reasons, []);
  assert.deepEqual(
    detections.map(({ subject }) => subject),
    ["task 1 is exhausted: one"],
  );
});

test("a task that cannot be read is not overlooked", async () => {
  const { status, reasons } = await testAlarm(ALARM, {
    responses: { "/api/panda/tasks/": page({ status: "exhausted" }) },
  });
  assert.equal(status, "partial");
  assert.deepEqual(reasons, ["a task has no jeditaskid"]);
});
