import type {
  Expectation,
  Graph,
  State,
  Term,
} from "../../../src/author/expectations/expectation.ts";

/** A record: a time, or that it is there at a time that nobody knows, or that it is unusable since a time. */
export type Fact = number | true | { readonly bad: string; readonly at?: number };
export type Facts = ReadonlyMap<string, Fact>;

/** "no opinion": the rules do not say what a guard or a start is that is unusable or has no time. */
export type Told = State | "no opinion";

/**
 * A second reading of the rules, to compare `judge` with: it knows every fact, loads nothing, and looks again at everything
 * each time that it is asked.
 */
export function oracle(
  graph: Graph<string>,
  start: number,
  facts: Facts,
  now: number,
): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const { name } of graph.expectations) told.set(name, fate(name).state);
  return told;

  function fate(name: string): Fate {
    const expectation = graph.expectations.find((each) => each.name === name);
    if (expectation === undefined) throw new Error(`there is no ${name}`);
    const { when, after = [], from, want } = expectation;
    if (when !== undefined) {
      if (isBad(when)) return { state: "no opinion" };
      if (!isThere(when)) return { state: "not expected" };
    }
    const parents = after.map((parent) => fate(parent));
    if (parents.some(({ state }) => state === "no opinion")) return { state: "no opinion" };
    const expected = parents.filter(({ state }) => state !== "not expected");
    if (after.length > 0 && expected.length === 0) return { state: "not expected" };
    const live = expected.filter(({ isMoot }) => isMoot !== true);
    if (expected.length > 0 && live.length === 0) {
      // Nothing starts its clock.
      if (!isThere(want)) return { state: "cancelled", isMoot: true };
      const times = known(timesOf(want));
      return { state: "met", ...(times.length > 0 && { time: Math.min(...times) }) };
    }
    if (live.some(({ state }) => state === "cancelled")) return { state: "cancelled" };
    const isReady = live.every(
      ({ state, time }) => (state === "met" || state === "late") && time !== undefined,
    );
    if (!isReady) return isOvertaken(expectation) ? MOOT : { state: "waiting" };
    const begins = live.flatMap(({ time }) => time ?? []);
    if (from !== undefined) {
      if (isBad(from)) return { state: "no opinion" };
      if (!isThere(from)) return isOvertaken(expectation) ? MOOT : { state: "waiting" };
      const times = known(timesOf(from));
      if (times.length === 0) return { state: "no opinion" };
      begins.push(Math.min(...times));
    }
    const since = begins.length === 0 ? start : Math.max(...begins);
    return overdue(expectation, since);
  }

  function overdue(expectation: Expectation<string>, since: number): Fate {
    const { want, within } = expectation;
    const due = since + within;
    const isCancelled = expectation.cancel !== undefined && cancelledBy(expectation.cancel, due);
    if (isThere(want)) {
      const times = timesOf(want, since);
      const isExact = !times.includes(undefined);
      const first = Math.min(...known(times));
      if (isExact && first > due)
        return isCancelled ? { state: "cancelled" } : { state: "late", time: first };
      return { state: "met", time: Math.min(first, due) };
    }
    if (isCancelled) return { state: "cancelled" };
    if (isOvertaken(expectation)) return MOOT;
    if (isBad(want)) return { state: "bad" };
    return { state: now > due ? "missing" : "pending" };
  }

  function cancelledBy(cancel: Term<string>, due: number): boolean {
    if (!isThere(cancel)) return false;
    if (now <= due) return true;
    return known(timesOf(cancel)).some((time) => time <= due);
  }

  /** Whether something of a later stage is there that is expected. */
  function isOvertaken({ stage }: Expectation<string>): boolean {
    if (stage === undefined) return false;
    const stages = graph.stages ?? [];
    return graph.expectations.some(
      (other) =>
        other.stage !== undefined &&
        stages.indexOf(other.stage) > stages.indexOf(stage) &&
        (other.when === undefined || isThere(other.when)) &&
        isThere(other.want),
    );
  }

  function isThere(term: Term<string>): boolean {
    if (typeof term !== "string") {
      if ("all" in term) return term.all.every(isThere);
      if ("any" in term) return term.any.some(isThere);
      return !isThere(term.not) && !isBad(term.not);
    }
    const fact = facts.get(term);
    return fact === true || (typeof fact === "number" && fact <= now);
  }

  function isBad(term: Term<string>): boolean {
    if (isThere(term)) return false;
    if (typeof term !== "string") {
      if ("all" in term)
        return term.all.some(isBad) && term.all.every((each) => isThere(each) || isBad(each));
      if ("any" in term) return term.any.some(isBad);
      return false;
    }
    const fact = facts.get(term);
    return typeof fact === "object" && (fact.at ?? now) <= now;
  }

  /** When a term that is there may have appeared: undefined stands for a time that nobody knows. */
  function timesOf(term: Term<string>, since = 0): readonly (number | undefined)[] {
    if (typeof term === "string") {
      const fact = facts.get(term);
      return [typeof fact === "number" ? fact : undefined];
    }
    if ("not" in term) return [undefined];
    if ("any" in term) {
      const times = term.any.filter(isThere).flatMap((each) => timesOf(each, since));
      const fresh = times.filter((time) => time === undefined || time >= since);
      return fresh.length > 0 ? fresh : times;
    }
    const parts = term.all.map((each) => timesOf(each, since));
    // The last of its parts, each of which counts from its own first.
    const firsts = parts.map((times) =>
      known(times).length === 0 ? undefined : Math.min(...known(times)),
    );
    const isOpen = parts.some((times) => times.includes(undefined));
    const last = firsts.includes(undefined) ? undefined : Math.max(...known(firsts));
    return isOpen ? [last, undefined] : [last];
  }
}

const MOOT = { state: "cancelled", isMoot: true } as const;

interface Fate {
  readonly state: Told;
  readonly time?: number;
  readonly isMoot?: boolean;
}

function known(times: readonly (number | undefined)[]): readonly number[] {
  return times.flatMap((time) => time ?? []);
}
