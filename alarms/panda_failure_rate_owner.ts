import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { FAILURE_RATE_PARAMS, failureRate } from "./lib/failure_rate.ts";

export const TITLE = "PanDA failure rate, tasks of one owner";

export const DESCRIPTION =
  "One of your PanDA tasks lost too many input files: they failed and used up their retries.";

export const PARAMS = {
  ...FAILURE_RATE_PARAMS,
  username: {
    type: "string",
    required: true,
    description: "check the tasks of this owner; % matches any text",
  },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  yield* failureRate(client, params);
}
