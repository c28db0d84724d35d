import type { AlarmClient, ParamSpecs, ParamsOf } from "swf-alarms";
import { objectOf } from "./lib/fields.ts";
import { parseSuperevent } from "./lib/gracedb.ts";
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
  const mocks = await newestMocks(client);
  const [newest] = mocks;
  if (newest === undefined) {
    yield { dedupeKey: EVENT, subject: "GraceDB lists no mock event at all" };
    return client.incomplete("without a mock event, there is none to look for a notice in", NOTICE);
  }
  const { superevent_id: id, created } = newest;
  yield* judgeAge(client, {
    dedupeKey: EVENT,
    what: `the newest mock event, ${id},`,
    created,
    minutes: params.event_minutes,
  });
  const looked = mocks.slice(0, params.newest);
  const notice = await newestNotice(client, looked);
  if (notice === undefined) return;
  const oldest = looked.at(-1)?.created ?? created;
  if (notice !== "none")
    yield* judgeAge(client, {
      dedupeKey: NOTICE,
      what: `the newest notice of a mock event, ${notice.id},`,
      created: notice.created,
      minutes: params.notice_minutes,
    });
  else if (client.now - oldest > params.notice_minutes * 60)
    yield {
      dedupeKey: NOTICE,
      subject: `none of the newest ${looked.length} mock events has a notice`,
    };
}

/** The newest first. */
async function newestMocks(client: AlarmClient): Promise<readonly Mock[]> {
  const query = { query: "category: MDC", sort: "-created", count: 50 };
  const page = await client.source("gracedb").get("superevents/", query);
  const rows = objectOf(page)?.superevents;
  if (!Array.isArray(rows)) throw new Error(`superevents/ has no list "superevents"`);
  const mocks = rows.flatMap((row) => {
    const parsed = parseSuperevent(objectOf(row) ?? {});
    if (!parsed.ok) client.incomplete(parsed.error);
    // A service that does not know the query lists every category.
    else if (parsed.superevent.category === "MDC") {
      const { superevent_id, created } = parsed.superevent;
      if (created !== null) return { superevent_id, created };
      client.incomplete(`superevent ${superevent_id} has no readable created time`);
    }
    return [];
  });
  return mocks.sort((a, b) => b.created - a.created);
}

/** Of the newest of these that has one; undefined if that cannot be known, which is reported. */
async function newestNotice(client: AlarmClient, mocks: readonly Mock[]) {
  const gracedb = client.source("gracedb");
  let isKnown = true;
  for (const { superevent_id: id } of mocks) {
    const notices = await loadRecords(gracedb, { id, list: "voevents", scope: NOTICE });
    if ("unknown" in notices) {
      client.incomplete(`could not check the notices of ${id}: ${notices.unknown}`, NOTICE);
      isKnown = false;
      continue;
    }
    const latest = notices.at(-1);
    if (latest !== undefined) return { id, created: latest.created };
  }
  return isKnown ? ("none" as const) : undefined;
}

function* judgeAge(client: AlarmClient, { dedupeKey, what, created, minutes }: Age) {
  const age = Math.floor((client.now - created) / 60);
  if (age < -CLOCKS)
    client.incomplete(`${what} was created ${-age} minutes from now, which cannot be`, dedupeKey);
  else if (client.now - created > minutes * 60)
    yield {
      dedupeKey,
      subject: `${what} is ${age} minutes old`,
      data: { metric: `${age} min`, created: new Date(created * 1000).toISOString() },
    };
}

/** Minutes by which two clocks may differ. */
const CLOCKS = 5;

interface Age {
  readonly dedupeKey: string;
  readonly what: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly minutes: number;
}

interface Mock {
  readonly superevent_id: string;
  /** Epoch seconds. */
  readonly created: number;
}
