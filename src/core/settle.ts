import { duration } from "../text/utc.ts";

/**
 * When something that comes and goes counts: once it was there in `hits` of the last `of` outcomes that looked, or in all
 * of them for so many seconds. `since` is when it began, if that is known otherwise.
 */
export type SettleRule =
  | { readonly hits: number; readonly of: number }
  | { readonly seconds: number; readonly since?: number };

export const AT_ONCE: SettleRule = { hits: 1, of: 1 };

/** What is there and does not count yet, by key. Stored between ticks. */
export type Pending = ReadonlyMap<string, PendingEntry>;

export interface PendingEntry {
  /** Epoch seconds. */
  readonly firstSeen: number;
  /** The outcomes that looked since then, oldest first: 1 where it was there, 0 where it was not. */
  readonly hits: string;
  /** Of what is detected and not settled; for people. */
  readonly subject?: string;
}

export interface SettleFacts {
  readonly before: Pending;
  /** Keys that are there in this outcome. */
  readonly there: Iterable<string>;
  /** Whether the outcome proves that a key is not there. Any other outcome counts neither way. */
  readonly isGone: (key: string) => boolean;
  readonly ruleOf: (key: string) => SettleRule;
  readonly now: number;
}

/** Outcomes that a rule can look back on. */
export const MAX_OUTCOMES = 100;

/** Decides which keys count now, and what is known of each after this outcome, those that count included. */
export function settle({ before, there, isGone, ruleOf, now }: SettleFacts) {
  const settled = new Set<string>();
  const pending = new Map<string, PendingEntry>();
  for (const key of there) {
    const rule = ruleOf(key);
    const found = before.get(key);
    // Where the rule was another one before, it may have been away in between.
    const known = "seconds" in rule && found?.hits.includes("0") === true ? undefined : found;
    // A clock that was ahead must not delay it.
    const firstSeen = Math.min(known?.firstSeen ?? now, now);
    const entry = { ...known, firstSeen, hits: lastOf(`${known?.hits ?? ""}1`, rule) };
    pending.set(key, entry);
    if (isSettled(entry, rule, now)) settled.add(key);
  }
  for (const [key, entry] of before) {
    if (pending.has(key)) continue;
    const rule = ruleOf(key);
    if (!isGone(key)) pending.set(key, entry);
    // In a row, it begins anew.
    else if ("hits" in rule && rule.hits < rule.of) {
      const hits = lastOf(`${entry.hits}0`, rule);
      if (hits.includes("1")) pending.set(key, { ...entry, hits });
    }
  }
  return { settled, pending };
}

/** How far it has come. */
export interface Progress {
  readonly seen: number;
  /** Undefined if nobody knows. */
  readonly needed: number | undefined;
  readonly unit: "outcomes" | "seconds";
}

export function settleProgress(entry: PendingEntry, rule: SettleRule, now: number) {
  if ("hits" in rule) {
    const seen = countHits(lastOf(entry.hits, rule));
    return { seen, needed: rule.hits, unit: "outcomes" } as const;
  }
  const since = Math.min(entry.firstSeen, rule.since ?? entry.firstSeen);
  const seen = Math.max(0, wholeMinutes(now) - wholeMinutes(since));
  return { seen, needed: rule.seconds, unit: "seconds" } as const;
}

export function countHits(hits: string): number {
  return hits.replaceAll("0", "").length;
}

/** Such as `in 1 of 3 outcomes` or `for 5 min of 15 min`. */
export function describeProgress({ seen, needed, unit }: Progress): string {
  if (needed === undefined) return `in ${seen} ${unit}`;
  if (unit === "outcomes") return `in ${seen} of ${needed} outcomes`;
  return `for ${duration(seen)} of ${duration(needed)}`;
}

/** Cron starts ticks in whole minutes, and what they need to start differs. */
function wholeMinutes(time: number): number {
  return Math.floor(time / 60) * 60;
}

function isSettled(entry: PendingEntry, rule: SettleRule, now: number): boolean {
  const { seen, needed } = settleProgress(entry, rule, now);
  return seen >= needed;
}

function lastOf(hits: string, rule: SettleRule): string {
  return hits.slice(-("hits" in rule ? rule.of : 1));
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ["s", 1],
  ["m", 60],
  ["h", 3600],
  ["d", 86_400],
]);
const MAX_SECONDS = 30 * 86_400;

const FORMS = `a number of outcomes in a row such as 3, some of the last ones such as 2/3 (at most ${MAX_OUTCOMES}), a time such as 15m (at most 30d), or off`;

/** `3`, `2/3`, `15m`; undefined is `off`. Returns a message if it is neither. */
export function parseSettle(text: string): SettleRule | undefined | { readonly error: string } {
  const wrong = { error: `write ${FORMS}` };
  if (text === "off") return undefined;
  const [, hits, of = hits] = /^(\d{1,3})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  if (hits !== undefined) {
    const rule = { hits: Number(hits), of: Number(of) };
    return rule.hits >= 1 && rule.hits <= rule.of && rule.of <= MAX_OUTCOMES ? rule : wrong;
  }
  const [, count, unit = ""] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS.get(unit) ?? 0);
  return seconds >= 1 && seconds <= MAX_SECONDS ? { seconds } : wrong;
}

/** The rule as it is written in rows and commands; null is `off`, which one outcome out of one is too. */
export function formatSettle(rule: SettleRule | undefined): string | null {
  if (rule === undefined) return null;
  if ("hits" in rule) {
    if (rule.of === 1) return null;
    return rule.hits === rule.of ? String(rule.hits) : `${rule.hits}/${rule.of}`;
  }
  const [unit, length] = [...UNITS].findLast(([, each]) => rule.seconds % each === 0) ?? ["s", 1];
  return `${rule.seconds / length}${unit}`;
}

/** The rule in words. */
export function describeSettle(rule: SettleRule | undefined): string {
  if (rule === undefined) return "off";
  if (!("hits" in rule)) return `after ${duration(rule.seconds)}`;
  return rule.hits === rule.of
    ? `after ${rule.hits} outcomes in a row`
    : `after ${rule.hits} of the last ${rule.of} outcomes`;
}
