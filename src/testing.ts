/** What the test of an alarm module imports, as `"swf-alarms/testing"`, with any test runner. */

export { type AlarmTest, type FiringInTest, testAlarm } from "./testing/test_alarm.ts";
export type { TestDetection, TestOutcome } from "./testing/test_outcome.ts";
export type {
  TestRequest,
  TestResponse,
  TestResponses,
  TestSpoolLine,
  WholeResponse,
} from "./testing/test_responses.ts";
