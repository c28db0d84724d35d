import type { AlarmClient } from "swf-alarms";
import { FAILURE_RATE_PARAMS, type FailureRateParams, failureRate } from "./lib/failure_rate.ts";

export const TITLE = "PanDA failure rate, all EIC tasks";

export const DESCRIPTION =
  "A PanDA task lost too many input files: they failed and used up their retries. " +
  "Checks the tasks of all owners.";

export const PARAMS = FAILURE_RATE_PARAMS;

export async function* detect(client: AlarmClient, params: FailureRateParams) {
  yield* failureRate(client, params);
}
