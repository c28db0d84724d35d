import type { Sight, Term } from "./expectation.ts";

/** What is known of a term. `time` is missing where it is not known. */
export type Seen =
  | { readonly kind: "there"; readonly time?: number }
  | { readonly kind: "absent" }
  | { readonly kind: "bad"; readonly reason: string }
  | { readonly kind: "need"; readonly need: string }
  | { readonly kind: "unknown"; readonly reason: string };

const ABSENT: Seen = { kind: "absent" };
const THERE: Seen = { kind: "there" };

/** How one `W` is seen, at a moment: what the data dates later is not there yet. */
export function seenAt(sight: Sight, now: number): Seen {
  if (sight === false) return ABSENT;
  if (sight === true) return THERE;
  if (typeof sight === "number") return sight > now ? ABSENT : { kind: "there", time: sight };
  if ("need" in sight) return { kind: "need", need: sight.need };
  if ("unknown" in sight) return { kind: "unknown", reason: sight.unknown };
  return (sight.at ?? now) > now ? ABSENT : { kind: "bad", reason: sight.bad };
}

/**
 * How a term is seen, by the way its parts are. `from` is the start of the clock: of alternatives, the first that appeared
 * since then counts, as one from before may belong to an earlier stage.
 */
export function see<W>(term: Term<W>, look: (want: W) => Seen, from = 0): Seen {
  const seeAll = (terms: readonly Term<W>[]): readonly Seen[] =>
    terms.map((each) => see(each, look, from));
  if (isAll(term)) return together(seeAll(term.all));
  if (isAny(term)) return alternatives(seeAll(term.any), from);
  if (isNot(term)) return opposite(see(term.not, look, from));
  return look(term);
}

/** A term in words, such as `a and not b`; `show` names what is looked for. */
export function termText<W>(term: Term<W>, show: (want: W) => string): string {
  const join = (terms: readonly Term<W>[], word: string): string => {
    const parts = terms.map((each) => termText(each, show));
    return parts.length === 1 ? parts.join("") : `(${parts.join(word)})`;
  };
  if (isAll(term)) return join(term.all, " and ");
  if (isAny(term)) return join(term.any, " or ");
  return isNot(term) ? `not ${termText(term.not, show)}` : show(term);
}

/** Absent if one of them is, even if another cannot be looked at; there since the last of them. */
function together(parts: readonly Seen[]): Seen {
  const decisive =
    parts.find(({ kind }) => kind === "absent") ??
    parts.find(({ kind }) => kind === "need") ??
    parts.find(({ kind }) => kind === "unknown") ??
    parts.find(({ kind }) => kind === "bad");
  if (decisive !== undefined) return decisive;
  const times = timesOf(parts);
  return times.length < parts.length ? THERE : { kind: "there", time: Math.max(...times) };
}

/** There if one of them is, even if another cannot be looked at. */
function alternatives(parts: readonly Seen[], from: number): Seen {
  const there = parts.filter(({ kind }) => kind === "there");
  if (there.length > 0) {
    const times = timesOf(there);
    if (times.length === 0) return THERE;
    const since = times.filter((time) => time >= from);
    return { kind: "there", time: Math.min(...(since.length > 0 ? since : times)) };
  }
  return (
    parts.find(({ kind }) => kind === "need") ??
    parts.find(({ kind }) => kind === "unknown") ??
    parts.find(({ kind }) => kind === "bad") ??
    ABSENT
  );
}

/** What is unusable is there. */
function opposite(seen: Seen): Seen {
  if (seen.kind === "absent") return THERE;
  return seen.kind === "there" || seen.kind === "bad" ? ABSENT : seen;
}

function timesOf(parts: readonly Seen[]): readonly number[] {
  return parts.flatMap((seen) =>
    seen.kind === "there" && seen.time !== undefined ? seen.time : [],
  );
}

function isPart(term: unknown, name: string): boolean {
  return typeof term === "object" && term !== null && Object.hasOwn(term, name);
}

function isAll<W>(term: Term<W>): term is { readonly all: readonly Term<W>[] } {
  return isPart(term, "all");
}

function isAny<W>(term: Term<W>): term is { readonly any: readonly Term<W>[] } {
  return isPart(term, "any");
}

function isNot<W>(term: Term<W>): term is { readonly not: Term<W> } {
  return isPart(term, "not");
}
