/** All that an alarm module imports, as `"swf-alarms"`, wherever the alarms folder is. */

export { age } from "./author/age.ts";
export { checkGraph } from "./author/expectations/check_graph.ts";
export type {
  Expectation,
  Graph,
  Look,
  Sight,
  State,
  States,
  Term,
  Verdict,
} from "./author/expectations/expectation.ts";
export { type FollowFacts, follow } from "./author/expectations/follow.ts";
export { horizon } from "./author/expectations/horizon.ts";
export { judge } from "./author/expectations/judge.ts";
export { type LookBackFacts, leftLookBack } from "./author/expectations/left_look_back.ts";
export { replay } from "./author/expectations/replay.ts";
export { toDot } from "./author/expectations/to_dot.ts";
export { type ExpectedSet, expectedSet } from "./author/expected_set.ts";
export type { Scalar, TrackMemory } from "./author/track/history.ts";
export type { Samples } from "./author/track/samples.ts";
export { Track, type TrackOptions } from "./author/track/track.ts";
export { wilsonLower } from "./author/wilson_lower.ts";
export { type ConnectionFault, explainConnection } from "./core/connection_error.ts";
export type { Severity } from "./core/level.ts";
export type { Clear, Detection, FiringEvent, Remembered } from "./core/model.ts";
export type { ParamSpec, ParamSpecs, ParamsOf } from "./core/param_spec.ts";
export type {
  AlarmClient,
  CallOptions,
  CallOutcome,
  RequestOptions,
  RequestOutcome,
  SpoolEvent,
} from "./source/client/client.ts";
export type { Paging } from "./source/client/paging.ts";
export { type FailureKind, FetchError, type RequestFailure } from "./source/fetch_error.ts";
export type { Query } from "./source/query.ts";
export type { JsonObject, JsonValue } from "./text/json.ts";
export { duration, parseUtc, utcMinute, utcSecond } from "./text/utc.ts";
