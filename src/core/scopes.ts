import { quote } from "../text/describe.ts";
import { escapeKey, KEPT_OF_KEY } from "./detection.ts";
import { listed } from "./listed.ts";
import type { Outcome } from "./model.ts";

/**
 * A scope is the beginning of dedupe keys about which an outcome proves nothing, although it may be complete. The keys
 * below it keep their state: their events are not cleared, and what is pending is not reset.
 */
type Scopes = Outcome["scopes"];

/** Half a character, or half of what `escapeKey` may escape: a key may continue it, and is then stored otherwise. */
const UNFINISHED = /(?:\\(?:u[\da-f]{0,3})?|[\ud800-\udbff])$/;

/**
 * The prefix of dedupe keys as the keys are stored, so that the stored form of every key that begins with it begins with
 * this; undefined for what names no such keys.
 */
export function parsePrefix(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  // The end of a longer key is replaced by a digest.
  const stored = escapeKey(value.replace(UNFINISHED, "")).slice(0, KEPT_OF_KEY);
  return stored.replace(/[\ud800-\udbff]$/, "") || undefined;
}

/** What is wrong with a prefix that `parsePrefix` does not know. */
export function wrongPrefix(value: unknown): string {
  return `the prefix ${quote(value)} is not the beginning of dedupe keys, such as "host:a:", so that nothing clears`;
}

/**
 * Finds the prefixes with which a key begins, the longest first. It looks at each length once, however many prefixes
 * there are.
 */
export function prefixFinder(
  prefixes: ReadonlyMap<string, unknown>,
): (key: string) => readonly string[] {
  const all = [...prefixes.keys()].map(({ length }) => length);
  const lengths = [...new Set(all)].sort((a, b) => b - a);
  return (key) =>
    lengths
      .filter((length) => length <= key.length)
      .map((length) => key.slice(0, length))
      .filter((each) => prefixes.has(each));
}

/**
 * The scopes with these reasons in an outcome that detects and clears these keys. What a module says of a failed request of
 * a wider scope, such as of "host:a:disk" for the same reason as "host:a:", is left out.
 */
export function judgeScopes(
  reasons: ReadonlyMap<string, string>,
  keys: ReadonlySet<string>,
  clears: ReadonlyMap<string, string>,
): Scopes {
  if (reasons.size === 0) return new Map();
  const find = prefixFinder(reasons);
  const isRepeated = (prefix: string, reason: string): boolean =>
    find(prefix).some((outer) => outer !== prefix && reason.includes(reasons.get(outer) ?? prefix));
  const reported = new Set<string>();
  for (const each of [keys, clears])
    for (const key of each.keys()) for (const prefix of find(key)) reported.add(prefix);
  return new Map(
    [...reasons]
      .filter(([prefix, reason]) => !isRepeated(prefix, reason))
      .map(([prefix, reason]) => [prefix, { reason, isReported: reported.has(prefix) }]),
  );
}

/** The scopes that are errors of the alarm: it did not say what is wrong with them. */
export function scopeErrors(scopes: Scopes): readonly string[] {
  return listed(scopeTexts(scopes, false), "reasons");
}

/** The scopes of which the module reports something itself. */
export function scopeNotes(scopes: Scopes): readonly string[] {
  return listed(scopeTexts(scopes, true), "notes");
}

/** The reason comes first, so that it is still recognized as a failed request. */
function scopeTexts(scopes: Scopes, isReported: boolean): readonly string[] {
  const error = isReported
    ? ""
    : "; this is an error because the module detected and cleared nothing there";
  return [...scopes]
    .filter(([, scope]) => scope.isReported === isReported)
    .map(
      ([prefix, { reason }]) =>
        `${reason}; events whose keys begin with ${quote(prefix)} stay as they are${error}`,
    );
}

/** Scopes in a run record: each tick keeps one. */
const MAX_RECORDED = 20;

/** The first scopes as records and commands show them. */
export function scopeRecords(scopes: Scopes) {
  return [...scopes].slice(0, MAX_RECORDED).map(([prefix, { reason, isReported: reported }]) => {
    return { prefix, reason, reported };
  });
}
