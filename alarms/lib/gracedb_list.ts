import { type AlarmClient, type ParamSpecs, parseUtc } from "swf-alarms";
import { textOf } from "./fields.ts";
import { parseSuperevent, type Superevent } from "./gracedb.ts";

/** Which superevents an alarm is about. */
export const LIST_PARAMS = {
  categories: {
    type: "list",
    default: ["Production"],
    description: "only these categories: Production, MDC (mock events), Test; all if empty",
  },
} as const satisfies ParamSpecs;

export const FAR_PARAMS = {
  far_limit: {
    type: "number",
    // Two a day: the limit for alerts.
    default: 2 / 86_400,
    min: 0,
    description: "only superevents with at most this false alarm rate, in Hz",
  },
} as const satisfies ParamSpecs;

/** What has no rate is watched: better reported than missed. */
export function isFarUpTo(limit: number, { far }: Superevent): boolean {
  return far === null || far <= limit;
}

export interface DatedSuperevent extends Superevent {
  readonly created: number;
}

export interface ListFacts {
  /** All categories, if there are none. */
  readonly categories: readonly string[];
  /** Seconds. */
  readonly lookBack: number;
  /** The prefix of the keys that need the creation time of a superevent; undefined for all keys. */
  readonly scope: (id: string) => string | undefined;
}

export interface SupereventList {
  /** The newest first. One without a readable category is among them: better reported than missed. */
  readonly superevents: readonly DatedSuperevent[];
  /** Those in the look-back of whatever category, readable or not. */
  readonly ids: ReadonlySet<string>;
}

/** The superevents of the look-back. What cannot be read is reported as incomplete. */
export async function listSuperevents(
  gracedb: AlarmClient,
  { categories, lookBack, scope }: ListFacts,
): Promise<SupereventList> {
  // By id: a row that moves to the next page while the list is read comes twice.
  const found = new Map<string, DatedSuperevent>();
  const ids = new Set<string>();
  const query = { query: queryOf(categories, lookBack), sort: "-created" };
  for await (const row of supereventRows(gracedb, query)) {
    const parsed = parseSuperevent(row);
    if (!parsed.ok) {
      ids.add(textOf(row.superevent_id) ?? "");
      gracedb.incomplete(parsed.error);
      continue;
    }
    const { superevent_id: id, created, category } = parsed.superevent;
    // Newest first: a service that does not know the query goes on with all that it has ever had.
    if (created !== null && created < gracedb.now - lookBack) break;
    ids.add(id);
    if (categories.length > 0 && category !== null && !categories.includes(category)) continue;
    if (created === null)
      gracedb.incomplete(`superevent ${id} has no readable created time`, scope(id));
    else found.set(id, { ...parsed.superevent, created });
  }
  return { superevents: [...found.values()], ids };
}

/** The rows of a query, of as many pages as it has. */
export function supereventRows(gracedb: AlarmClient, query: { query: string; sort?: string }) {
  const paging = { style: "links.next", list: "superevents" } as const;
  return gracedb.pages("superevents/", { ...query, count: 100 }, paging);
}

/** Whether the day in the id of a superevent, such as S230831ar, began so many seconds ago: then it may have left the list. */
export function isDayOlder(id: string, seconds: number, now: number): boolean {
  const [, year, month, day] = /^[A-Z]+(\d\d)(\d\d)(\d\d)/.exec(id) ?? [];
  const began = parseUtc(`20${year}-${month}-${day}T00:00:00`);
  return began === undefined || began < now - seconds;
}

/** In GraceDB's query language. */
function queryOf(categories: readonly string[], lookBack: number): string {
  const created = `created: ${Math.ceil(lookBack / 3600)} hours ago .. now`;
  return categories.length === 1 ? `category: ${categories.join("")} ${created}` : created;
}
