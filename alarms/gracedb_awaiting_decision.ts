import { type AlarmClient, FetchError, type ParamSpecs, type ParamsOf } from "swf-alarms";
import { awaitsDecision, describeWaiting, parseSuperevent, waitingSince } from "./lib/gracedb.ts";
import { supereventRows } from "./lib/gracedb_list.ts";

export const TITLE = "GraceDB superevents awaiting a decision";

export const DESCRIPTION =
  "A gravitational-wave candidate is significant and a decision was requested (label ADVREQ), but not " +
  "made (ADVOK or ADVNO). Until then, neither the initial alert nor a retraction is sent.";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  waiting_minutes: {
    type: "number",
    default: 30,
    min: 0,
    description: "report superevents that have waited at least this many minutes",
  },
  query: {
    type: "string",
    default: "label: ADVREQ & ~ADVOK & ~ADVNO",
    description: "GraceDB query for the candidates; to narrow it, add e.g. category: Production",
  },
  categories: {
    type: "list",
    description: "only these categories, e.g. Production; all by default, including MDC",
  },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const gracedb = client.source("gracedb");
  const limit = params.waiting_minutes * 60;
  for await (const row of supereventRows(gracedb, { query: params.query })) {
    const parsed = parseSuperevent(row);
    if (!parsed.ok) {
      client.incomplete(parsed.error);
      continue;
    }
    const { superevent } = parsed;
    // Checked here too: a service that does not know the query returns every superevent.
    if (!awaitsDecision(superevent.labels) || !isWatched(superevent.category, params.categories))
      continue;
    if (superevent.created === null) {
      client.incomplete(`superevent ${superevent.superevent_id} has no readable created time`);
      continue;
    }
    // A label is never older than its superevent, so a young superevent needs no second request.
    if (client.now - superevent.created < limit) continue;
    const labels = await labelRecords(gracedb, superevent.superevent_id);
    const waiting = waitingSince(superevent.created, labels);
    if (waiting !== undefined && client.now - waiting.since >= limit)
      yield describeWaiting(superevent, waiting, client.now);
  }
}

/** A superevent without a readable category is watched: better reported than missed. */
function isWatched(category: string | null, wanted: readonly string[] | undefined): boolean {
  return category === null || !wanted?.length || wanted.includes(category);
}

/** Undefined where GraceDB has no records, or the request failed. */
async function labelRecords(gracedb: AlarmClient, id: string): Promise<unknown> {
  try {
    return await gracedb.find(`superevents/${encodeURIComponent(id)}/labels/`);
  } catch (error) {
    // The engine has recorded the failed request; continue with the other superevents.
    if (error instanceof FetchError) return undefined;
    throw error;
  }
}
