import type { Superevent } from "./gracedb.ts";

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
export function significanceOf({ far, group, search }: Superevent): Significance {
  if (far === null) return "none";
  if (far <= limitOf(group, search?.toLowerCase() ?? "")) return "significant";
  return far <= LESS_SIGNIFICANT ? "less significant" : "none";
}

function limitOf(group: string | null, search: string): number {
  const rates: { readonly [search: string]: number; readonly default: number } =
    group === "CBC" ? RATES.CBC : RATES.Burst;
  return Object.hasOwn(rates, search) ? (rates[search] ?? rates.default) : rates.default;
}
