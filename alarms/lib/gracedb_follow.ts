import {
  type AlarmClient,
  type Detection,
  follow,
  type Graph,
  horizon,
  leftLookBack,
  type ParamSpecs,
  type ParamsOf,
  type Sight,
  type Verdict,
} from "swf-alarms";
import { type Known, KnownRecords, type RememberedRecords } from "./gracedb_known.ts";
import { type DatedSuperevent, isDayOlder, LIST_PARAMS, listSuperevents } from "./gracedb_list.ts";

export const FOLLOW_PARAMS = {
  look_back_hours: {
    type: "number",
    default: 72,
    min: 0,
    description:
      "follow superevents of the last hours; never fewer than the last deadline of the graph needs",
  },
  ...LIST_PARAMS,
} as const satisfies ParamSpecs;

/** How an alarm follows superevents. */
export interface FollowingFacts<W> {
  readonly graph: Graph<W>;
  readonly params: ParamsOf<typeof FOLLOW_PARAMS>;
  /** Seconds by which the clock of an expectation may start after it is due, by `from`. */
  readonly slack?: number;
  /** When a superevent began, in epoch seconds. */
  readonly start: (superevent: DatedSuperevent) => number;
  readonly look: (superevent: DatedSuperevent, known: Known, want: W, timed: boolean) => Sight;
  readonly describe: (superevent: DatedSuperevent, verdict: Verdict<W>) => Partial<Detection>;
}

/** Follows the superevents of the look-back along a graph. */
export async function* followSuperevents<W>(
  client: AlarmClient,
  { graph, params, slack = 0, start, look, describe }: FollowingFacts<W>,
) {
  const { look_back_hours: hours, categories } = params;
  const lookBack = Math.max(hours * 3600, horizon(graph) + slack);
  const gracedb = client.source("gracedb");
  const firing = new Set(await client.firing());
  const remembered = await client.previous<RememberedRecords>();
  const records = new KnownRecords(gracedb, remembered?.value);
  const facts = {
    graph,
    now: client.now,
    id: ({ superevent_id }: DatedSuperevent) => superevent_id,
    start,
    look: (superevent: DatedSuperevent, want: W, timed: boolean) =>
      look(superevent, records.of(superevent.superevent_id), want, timed),
    load: ({ superevent_id }: DatedSuperevent, list: string) => records.load(superevent_id, list),
    unknown: (reason: string, key: string) => client.incomplete(`could not check ${reason}`, key),
    firing,
    note: (text: string) => client.note(text),
    seen: (id: string, verdicts: readonly Verdict<W>[]) => client.states(id, verdicts),
    describe,
  };
  const scope = (id: string): string => `${id}:`;
  const { superevents, ids } = await listSuperevents(gracedb, { categories, lookBack, scope });
  for (const superevent of superevents) yield* follow(facts, superevent);
  const hasLeft = (id: string): boolean => isDayOlder(id, lookBack, client.now);
  yield* leftLookBack({ firing, seen: ids, hasLeft });
  client.remember(records.toRemember(ids));
}
