import { type AlarmClient, parseUtc } from "swf-alarms";
import { textOf } from "./fields.ts";
import { type FollowableSuperevent, parseFollowable } from "./gracedb_followed.ts";

export interface SupereventList {
  readonly superevents: readonly FollowableSuperevent[];
  /** Those in the look-back of whatever category, readable or not. */
  readonly ids: ReadonlySet<string>;
}

/**
 * The superevents of these categories (all, if there are none) that were created within so many seconds, newest first. What
 * cannot be read is reported as incomplete: for all keys, or for those that begin with what `scope` returns.
 */
export async function listSuperevents(
  gracedb: AlarmClient,
  categories: readonly string[],
  lookBack: number,
  scope: (id: string) => string | undefined,
): Promise<SupereventList> {
  const paging = { style: "links.next", list: "superevents" } as const;
  const query = { query: queryOf(categories, lookBack), sort: "-created", count: 100 };
  // By id: a row that moves to the next page while the list is read comes twice.
  const found = new Map<string, FollowableSuperevent>();
  const ids = new Set<string>();
  for await (const row of gracedb.pages("superevents/", query, paging)) {
    const parsed = parseFollowable(row);
    if (!parsed.ok) {
      ids.add(textOf(row.superevent_id) ?? "");
      gracedb.incomplete(parsed.error);
      continue;
    }
    const { superevent_id: id, created, category } = parsed.superevent;
    // Checked here too: a service that does not know the query returns every superevent.
    if (created !== null && created < gracedb.now - lookBack) continue;
    ids.add(id);
    if (categories.length > 0 && category !== null && !categories.includes(category)) continue;
    if (created === null)
      gracedb.incomplete(`superevent ${id} has no readable created time`, scope(id));
    else found.set(id, parsed.superevent);
  }
  return { superevents: [...found.values()], ids };
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
