import { quote } from "../text/describe.ts";

export interface ExpectedSet {
  /** Expected, but not seen. */
  readonly missing: readonly string[];
  /** Seen, but not expected. */
  readonly unexpected: readonly string[];
  /** Expected and seen. */
  readonly present: readonly string[];
}

/**
 * Compares names that should be there with those that are: `missing` = expected − seen, `unexpected` = seen −
 * expected, `present` = expected ∩ seen. Each name once, in the order and the spelling of the first list that has it,
 * so that `missing` makes stable keys. Names are the same if `sameAs` returns the same text for both; without it, only
 * if they are equal. Throws TypeError for what is not a string: a field that a service left out.
 *
 * An empty list of a service that could not answer makes everything missing. Call it only with a complete list.
 */
export function expectedSet(
  expected: readonly string[] | ReadonlySet<string>,
  seen: readonly string[] | ReadonlySet<string>,
  sameAs: (name: string) => string = (name) => name,
): ExpectedSet {
  const wanted = byName("expected", expected, sameAs);
  const found = byName("seen", seen, sameAs);
  return {
    missing: [...wanted].flatMap(([key, name]) => (found.has(key) ? [] : name)),
    unexpected: [...found].flatMap(([key, name]) => (wanted.has(key) ? [] : name)),
    present: [...wanted].flatMap(([key, name]) => (found.has(key) ? name : [])),
  };
}

function byName(
  what: string,
  names: Iterable<unknown>,
  sameAs: (name: string) => string,
): ReadonlyMap<string, string> {
  const first = new Map<string, string>();
  for (const name of names) {
    if (typeof name !== "string")
      throw new TypeError(`expectedSet: ${what} has ${quote(name)}, which is not a string`);
    const key = sameAs(name);
    if (!first.has(key)) first.set(key, name);
  }
  return first;
}
