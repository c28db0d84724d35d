import { parseSuperevent, type Superevent } from "../../alarms/lib/gracedb.ts";
import { type Known, NOTHING_KNOWN } from "../../alarms/lib/gracedb_known.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** A row as the library reads it. */
export function supereventOf(row: JsonObject): Superevent {
  const parsed = parseSuperevent(row);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.superevent;
}

/** What is known once these lists are loaded. */
export function knownOf(lists: Partial<Omit<Known, "loaded">>): Known {
  const loaded = Object.fromEntries(Object.keys(lists).map((list) => [list, true as const]));
  return { ...NOTHING_KNOWN, ...lists, loaded };
}
