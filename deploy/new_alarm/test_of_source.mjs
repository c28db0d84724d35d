import assert from "node:assert/strict";
import { test } from "node:test";
import { testAlarm } from "swf-alarms/testing";

const ALARM = new URL("./__NAME__.ts", import.meta.url);
const keys = ({ detections }) => detections.map(({ dedupeKey }) => dedupeKey);

test("a path that can be read is fine", async () => {
  const responses = { __SOURCE__: { "/health": {} } };
  const outcome = await testAlarm(ALARM, { params: { path: "/health" }, responses });
  assert.deepEqual(outcome.reasons, []);
  assert.deepEqual(keys(outcome), []);
});

test("a path that cannot be read is detected", async () => {
  const responses = { __SOURCE__: { "/health": { status: 503 } } };
  const outcome = await testAlarm(ALARM, { params: { path: "/health" }, responses });
  assert.deepEqual(keys(outcome), ["path:/health"]);
  assert.deepEqual(outcome.reasons, []);
});
