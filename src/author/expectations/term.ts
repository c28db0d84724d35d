import type { Sight, Term } from "./expectation.ts";

/** What is known of a term. `time` is missing where it is not known. */
export type Seen =
  /** `open`: an alternative that may have been there before `time`, which is then the latest that it can be. */
  | { readonly kind: "there"; readonly time?: number; readonly open?: Seen }
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
  const time = times.length < parts.length ? undefined : Math.max(...times);
  return there(time, parts.map(openOf).find(isOpen));
}

/** There if one of them is, even if another cannot be looked at; that one leaves open when the first of them was. */
function alternatives(parts: readonly Seen[], from: number): Seen {
  const open =
    parts.find(({ kind }) => kind === "need") ?? parts.find(({ kind }) => kind === "unknown");
  const found = parts.filter(({ kind }) => kind === "there");
  if (found.length === 0) return open ?? parts.find(({ kind }) => kind === "bad") ?? ABSENT;
  const times = timesOf(found);
  const since = times.filter((time) => time >= from);
  const rest = open ?? found.map(openOf).find(isOpen);
  if (since.length > 0) return there(Math.min(...since), rest);
  return rest === undefined ? there(Math.min(...times), rest) : there(undefined, rest);
}

function there(time: number | undefined, open: Seen | undefined): Seen {
  return {
    kind: "there",
    ...(time !== undefined && { time }),
    ...(open !== undefined && { open }),
  };
}

/** What leaves the time of it open: undefined if that is exact, or if it is not there. */
export function openOf(seen: Seen): Seen | undefined {
  if (seen.kind === "need" || seen.kind === "unknown") return seen;
  if (seen.kind !== "there") return undefined;
  return seen.open ?? (seen.time === undefined ? THERE : undefined);
}

function isOpen(open: Seen | undefined): boolean {
  return open !== undefined;
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
