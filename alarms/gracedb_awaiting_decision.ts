import { type AlarmClient, FetchError, type ParamSpecs, type ParamsOf } from "swf-alarms";
import { awaitsDecision, describeWaiting, waitingSince } from "./lib/advocate_decision.ts";
import { type LabelRecord, parseLabelRecords, parseSuperevent } from "./lib/superevent.ts";

export const TITLE = "GraceDB superevents that await a decision";

export const DESCRIPTION =
  "A gravitational-wave candidate is significant and people were asked whether it is real (ADVREQ), " +
  "but nobody has answered (ADVOK or ADVNO): neither the initial alert nor a retraction goes out.";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  waiting_minutes: {
    type: "number",
    default: 30,
    min: 0,
    description: "minutes without an answer after which a superevent is told",
  },
  query: {
    type: "string",
    default: "label: ADVREQ & ~ADVOK & ~ADVNO",
    description: "GraceDB query for the candidates; to narrow it, add e.g. category: Production",
  },
  categories: {
    type: "list",
    description:
      "only these categories, e.g. Production; all by default, as an MDC one tests the whole chain",
  },
} as const satisfies ParamSpecs;

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const gracedb = client.source("gracedb");
  const enough = params.waiting_minutes * 60;
  const list = { style: "links.next", list: "superevents" } as const;
  for await (const row of gracedb.pages(
    "superevents/",
    { query: params.query, count: 100 },
    list,
  )) {
    const parsed = parseSuperevent(row);
    if (!parsed.ok) {
      client.incomplete(parsed.fault);
      continue;
    }
    const { superevent } = parsed;
    // Looked at here as well: a service that does not know the query gives every superevent.
    if (!awaitsDecision(superevent.labels) || !isWatched(superevent.category, params.categories))
      continue;
    if (superevent.created === null) {
      client.incomplete(
        `superevent ${superevent.id} awaits a decision, but its created time cannot be read`,
      );
      continue;
    }
    // A label cannot be older than its superevent, so a young one needs no second question.
    if (client.now - superevent.created < enough) continue;
    const records = await labelRecords(gracedb, superevent.id);
    const waiting = waitingSince(superevent.created, records);
    if (waiting !== undefined && client.now - waiting.since >= enough)
      yield describeWaiting(superevent, waiting, client.now);
  }
}

/** A category that cannot be read counts as watched: better told than missed. */
function isWatched(category: string | null, wanted: readonly string[] | undefined): boolean {
  return category === null || !wanted?.length || wanted.includes(category);
}

/** When the labels were set; none where GraceDB has no records, or does not give them now. */
async function labelRecords(gracedb: AlarmClient, id: string): Promise<readonly LabelRecord[]> {
  try {
    return parseLabelRecords(await gracedb.find(`superevents/${encodeURIComponent(id)}/labels/`));
  } catch (error) {
    // The engine has noted the failed request; the other superevents are still to be looked at.
    if (error instanceof FetchError) return [];
    throw error;
  }
}
