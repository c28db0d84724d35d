import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { describeStep } from "./lib/gracedb_alert_describe.ts";
import { ALERT_GRAPH, ALERT_STAGES, alertGraph } from "./lib/gracedb_alert_graph.ts";
import { beganAt, lookAtAlert } from "./lib/gracedb_alert_look.ts";
import { FOLLOW_PARAMS, followSuperevents } from "./lib/gracedb_follow.ts";

export const TITLE = "GraceDB alerts that do not go on";

export const DESCRIPTION =
  "A gravitational-wave candidate is on its way to an alert, and a step is overdue: a product, the lock, " +
  "the data-quality word, a notice, the decision of the people on shift, the initial notice or the retraction.";

export const SOURCES = ["gracedb"];

export const STAGES = ALERT_STAGES;

export const GRAPH = ALERT_GRAPH;

export const PARAMS = {
  ...FOLLOW_PARAMS,
  look_back_hours: { ...FOLLOW_PARAMS.look_back_hours, default: 24 },
  decision_minutes: {
    type: "number",
    default: 60,
    min: 1,
    description: "minutes from the lock to the decision of the people on shift",
  },
  update_minutes: {
    type: "number",
    min: 1,
    description: "minutes from PE_READY to the update notice; without it, none is expected",
  },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const { decision_minutes: decision, update_minutes: update } = params;
  yield* followSuperevents(client, {
    graph: alertGraph({ decision, update }),
    params,
    // The clock of the initial notice starts at the decision.
    slack: decision * 60,
    start: beganAt,
    look: lookAtAlert,
    describe: describeStep,
  });
}
