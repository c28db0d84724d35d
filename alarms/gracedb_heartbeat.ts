import { type AlarmClient, duration, type ParamSpecs, type ParamsOf, utcSecond } from "swf-alarms";
import { parseSuperevent } from "./lib/gracedb.ts";
import { type DatedSuperevent, supereventRows } from "./lib/gracedb_list.ts";
import { loadRecords } from "./lib/gracedb_records.ts";

export const TITLE = "GraceDB: mock events and notices still come";

export const DESCRIPTION =
  "Mock events (category MDC) are uploaded every hour and go all the way to a notice. If they stop, real " +
  "candidates may be lost in the same way.";

export const SOURCES = ["gracedb"];

export const PARAMS = {
  event_minutes: {
    type: "number",
    default: 70,
    min: 1,
    description: "report that the newest mock event is older than this; there is one an hour",
  },
  notice_minutes: {
    type: "number",
    default: 90,
    min: 1,
    description: "report that the newest notice of a mock event is older than this",
  },
  newest: {
    type: "integer",
    default: 3,
    min: 1,
    max: 20,
    description: "look for that notice in so many of the newest mock events",
  },
} as const satisfies ParamSpecs;

const EVENT = "mock_event";
const NOTICE = "mock_notice";

export async function* detect(client: AlarmClient, params: ParamsOf<typeof PARAMS>) {
  const gracedb = client.source("gracedb");
  const { mocks, isWhole } = await newestMocks(gracedb, params.newest);
  const [newest] = mocks;
  if (newest === undefined) {
    // One that cannot be read may be a mock event.
    if (!isWhole) return;
    yield { dedupeKey: EVENT, subject: "GraceDB lists no mock event at all" };
    yield { dedupeKey: NOTICE, subject: "GraceDB lists no notice of a mock event" };
    return;
  }
  const { superevent_id: id, created } = newest;
  yield* judgeAge(client, {
    dedupeKey: EVENT,
    what: `the newest mock event, ${id},`,
    created,
    minutes: params.event_minutes,
    advice: "Check what uploads mock events, and GraceDB itself.",
  });
  const notice = await newestNotice(gracedb, mocks);
  if (notice === undefined) return;
  const oldest = mocks.at(-1)?.created ?? created;
  if (notice !== "none")
    yield* judgeAge(client, {
      dedupeKey: NOTICE,
      what: `the newest notice of a mock event, ${notice.id},`,
      created: notice.created,
      minutes: params.notice_minutes,
      advice: "If mock events still come, check what turns them into notices (GWCelery).",
    });
  else if (client.now - oldest > params.notice_minutes * 60)
    yield {
      dedupeKey: NOTICE,
      subject: `none of the newest ${mocks.length} mock events has a notice`,
    };
}

/** So many, the newest first, and whether all rows up to there could be read. */
async function newestMocks(gracedb: AlarmClient, count: number) {
  const mocks: DatedSuperevent[] = [];
  let isWhole = true;
  const skip = (reason: string): void => {
    gracedb.incomplete(reason);
    isWhole = false;
  };
  for await (const row of supereventRows(gracedb, { query: "category: MDC", sort: "-created" })) {
    const parsed = parseSuperevent(row);
    if (!parsed.ok) skip(parsed.error);
    // A service that does not know the query lists every category.
    else if (parsed.superevent.category === "MDC") {
      const { superevent_id: id, created } = parsed.superevent;
      if (created === null) skip(`superevent ${id} has no readable created time`);
      else if (mocks.push({ ...parsed.superevent, created }) === count) break;
    }
  }
  return { mocks, isWhole };
}

/** Of the newest of these that has one; undefined if that cannot be known, which is reported. */
async function newestNotice(gracedb: AlarmClient, mocks: readonly DatedSuperevent[]) {
  let isKnown = true;
  for (const { superevent_id: id } of mocks) {
    const notices = await loadRecords(gracedb, { id, list: "voevents", scope: NOTICE });
    if ("unknown" in notices) {
      gracedb.incomplete(`could not check the notices of ${id}: ${notices.unknown}`, NOTICE);
      isKnown = false;
      continue;
    }
    const latest = notices.at(-1);
    if (latest !== undefined) return { id, created: latest.created };
  }
  return isKnown ? ("none" as const) : undefined;
}

function* judgeAge(client: AlarmClient, { dedupeKey, what, created, minutes, advice }: Age) {
  const age = client.now - created;
  if (age < -CLOCKS)
    client.incomplete(`${what} was created ${duration(-age)} from now, which cannot be`, dedupeKey);
  else if (age > minutes * 60)
    yield {
      dedupeKey,
      subject: `${what} is ${duration(age)} old`,
      body: `It was created at ${utcSecond(created)}. The limit is ${minutes} min. ${advice}`,
      data: { metric: duration(age), created: utcSecond(created) },
    };
}

/** Seconds by which two clocks may differ. */
const CLOCKS = 300;

interface Age {
  readonly dedupeKey: string;
  readonly what: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly minutes: number;
  readonly advice: string;
}
