import {
  type AlarmClient,
  type FollowFacts,
  follow,
  horizon,
  type ParamSpecs,
  type ParamsOf,
} from "swf-alarms";
import {
  ALERT_GRAPH,
  ALERT_STAGES,
  type AlertWant,
  alertGraph,
} from "./lib/gracedb_alert_graph.ts";
import { AlertRecords, type RememberedAlerts } from "./lib/gracedb_alert_records.ts";
import { describeStep } from "./lib/gracedb_alert_step.ts";
import { lookAtAlert } from "./lib/gracedb_alerts.ts";
import { type Candidate, recentCandidates } from "./lib/gracedb_candidate.ts";

export const TITLE = "GraceDB alerts that do not go on";

export const DESCRIPTION =
  "A gravitational-wave candidate is on its way to an alert, and a step is overdue: a product, the lock, " +
  "the data-quality word, a notice, the decision of the people on shift, the initial notice or the retraction.";

export const SOURCES = ["gracedb"];

export const STAGES = ALERT_STAGES;

export const GRAPH = ALERT_GRAPH;

export const PARAMS = {
  look_back_hours: {
    type: "number",
    default: 24,
    min: 3,
    description: "follow superevents that are at most this old",
  },
  categories: {
    type: "list",
    default: ["Production"],
    description: "follow these categories; add MDC for the mock events of every hour",
  },
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
  const { look_back_hours, categories, decision_minutes, update_minutes } = params;
  const graph = alertGraph({ decision: decision_minutes, update: update_minutes });
  const lookBack = look_back_hours * 3600;
  // The clock of the initial notice starts at the decision.
  const needed = horizon(graph) + decision_minutes * 60;
  if (lookBack < needed)
    throw new Error(
      `look_back_hours is ${look_back_hours}, but the last deadline may be ${(needed / 3600).toFixed(1)} hours after a superevent began; set it to more`,
    );
  const firing = new Set(await client.firing());
  const previous = await client.previous<RememberedAlerts>();
  const records = new AlertRecords(client.source("gracedb"), previous?.value);
  const facts: FollowFacts<AlertWant, Candidate> = {
    graph,
    now: client.now,
    id: ({ superevent_id }) => superevent_id,
    start: ({ began }) => began,
    look: (candidate, want, timed) =>
      lookAtAlert(candidate, records.known(candidate.superevent_id), want, timed),
    load: ({ superevent_id }, need) => records.load(superevent_id, need),
    unknown: (reason, key) => client.incomplete(`could not check ${reason}`, key),
    firing,
    describe: describeStep,
  };
  const seen = new Set<string>();
  let isWhole = true;
  for await (const parsed of recentCandidates(client, { lookBack, categories })) {
    if (parsed.ok) {
      seen.add(parsed.candidate.superevent_id);
      yield* follow(facts, parsed.candidate);
    } else {
      client.incomplete(parsed.error);
      isWhole = false;
    }
  }
  const left = [...firing].filter((key) => !seen.has(key.replace(/:.*/s, "")));
  if (isWhole) for (const dedupeKey of left) yield { dedupeKey, clear: "left the look-back" };
  client.remember(records.toRemember(seen));
}
