import { type AlarmClient, type JsonObject, parseUtc } from "swf-alarms";
import { objectOf, textOf, textsOf } from "./fields.ts";
import { parseSuperevent, type Superevent } from "./gracedb.ts";

/** A superevent on its way to an alert. */
export interface Candidate extends Superevent {
  readonly created: number;
  /** Epoch seconds: when it was created, or its preferred event if that came later. */
  readonly began: number;
  readonly search: string | null;
  /** Of its preferred event. */
  readonly eventLabels: readonly string[];
}

export type ParsedCandidate =
  | { readonly ok: true; readonly candidate: Candidate }
  | { readonly ok: false; readonly error: string };

/** A row of `superevents/`. Rows of 2019 have no preferred event. */
export function parseCandidate(row: JsonObject): ParsedCandidate {
  const parsed = parseSuperevent(row);
  if (!parsed.ok) return parsed;
  const { superevent } = parsed;
  const { superevent_id: id, created } = superevent;
  if (created === null)
    return { ok: false, error: `superevent ${id} has no readable created time` };
  const preferred = objectOf(row.preferred_event_data);
  const candidate: Candidate = {
    ...superevent,
    created,
    began: Math.max(created, parseUtc(preferred?.created) ?? created),
    search: textOf(preferred?.search),
    eventLabels: textsOf(preferred?.labels) ?? [],
  };
  return { ok: true, candidate };
}

/** Seconds. */
const DAY = 86_400;
const YEAR = 365.25 * DAY;

/** False alarm rates in Hz: once in a time for all searches together, divided by their number. */
const RATES = {
  CBC: { default: 1 / (30 * DAY) / 6, earlywarning: 1 / (30 * DAY) / 4, ssm: 1 / YEAR / 2 },
  Burst: { default: 1 / YEAR / 3, bbh: 1 / (30 * DAY) / 6 },
} as const satisfies { [group: string]: { default: number; [search: string]: number } };

/** Twice a day. Before 2024 it was not divided by the number of searches: what lies between is followed once it is locked. */
const LESS_SIGNIFICANT = 2 / DAY / 7;

export type Significance = "significant" | "less significant" | "none";

/** By the false alarm rate; without a group, by the lowest limit of any. */
export function significanceOf({ far, group, search }: Candidate): Significance {
  if (far === null) return "none";
  if (far <= limitOf(group, search?.toLowerCase() ?? "")) return "significant";
  return far <= LESS_SIGNIFICANT ? "less significant" : "none";
}

function limitOf(group: string | null, search: string): number {
  const rates: { readonly [search: string]: number; readonly default: number } =
    group === "CBC" ? RATES.CBC : RATES.Burst;
  return Object.hasOwn(rates, search) ? (rates[search] ?? rates.default) : rates.default;
}

/**
 * The superevents of the look-back in these categories, also those whose row cannot be read; one without a readable category
 * is among them: better reported than missed.
 */
export async function* recentCandidates(
  client: AlarmClient,
  { lookBack, categories }: { lookBack: number; categories: readonly string[] },
): AsyncGenerator<ParsedCandidate, void, undefined> {
  const hours = Math.ceil(lookBack / 3600);
  const query = { query: `created: ${hours} hours ago .. now`, sort: "-created", count: 100 };
  const paging = { style: "links.next", list: "superevents" } as const;
  for await (const row of client.source("gracedb").pages("superevents/", query, paging)) {
    const parsed = parseCandidate(row);
    // Newest first: a service that does not know the query goes on with all that it has ever had.
    if (parsed.ok && parsed.candidate.created < client.now - lookBack) return;
    const category = parsed.ok ? parsed.candidate.category : null;
    if (category === null || categories.length === 0 || categories.includes(category)) yield parsed;
  }
}
