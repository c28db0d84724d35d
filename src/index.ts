/** All that an alarm module imports, as `"swf-alarms"`, wherever the alarms folder is. */

export type { Severity } from "./core/level.ts";
export type { Clear, Detection } from "./core/model.ts";
export type { ParamSpec, ParamSpecs, ParamsOf } from "./core/params.ts";
export type { AlarmClient } from "./source/client.ts";
export { FetchError } from "./source/fetch_error.ts";
export type { Paging, Query } from "./source/paging.ts";
export type { JsonObject, JsonValue } from "./text/json.ts";
export { parseUtc } from "./text/utc.ts";
