import { quote } from "../../text/describe.ts";
import type { Expectation, State } from "./expectation.ts";
import type { Met, Moment, Outcome } from "./outcome.ts";
import { openOf, type Seen } from "./term.ts";
import { orMoot, undecided, unknown } from "./undecided.ts";

/** What became of an expectation whose clock started at `begun.time`. */
export function judgeDue<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  begun: Met & { readonly time: number },
): Outcome<W> {
  const clock = { since: begun.time, due: begun.time + expectation.within };
  const outcome = { ...judgeWant(moment, expectation, clock, begun), ...clock };
  const { state, isMoot = false } = outcome;
  const restsOnClock = !isMoot && BY_CLOCK.includes(state);
  // By the exact times of its parents, its clock may have started as early as the entity.
  if (!restsOnClock || moment.isEarly(expectation.name, moment.start)) return outcome;
  const asks = begun.assumed;
  return begun.doubt === undefined
    ? { ...outcome, asks }
    : { state: "unknown", reason: begun.doubt, asks };
}

/** What may become another state if the clock started at another time, and decides something. */
const BY_CLOCK: readonly State[] = ["pending", "missing", "late", "cancelled"];

interface Clock {
  readonly since: number;
  readonly due: number;
}

function judgeWant<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  { since, due }: Clock,
  begun: Met,
): Outcome<W> {
  const { name, want } = expectation;
  const { now, see } = moment;
  const seen = see(want, false, since);
  switch (seen.kind) {
    case "need":
    case "unknown":
      return undecided(moment, seen, name, since, "pending");
    case "there":
      return judgeThere(moment, expectation, { since, due }, begun, seen);
    case "bad": {
      const bad = { state: "bad", reason: seen.reason } as const;
      return cancelled(moment, expectation, due, true) ?? orMoot(moment, expectation, since, bad);
    }
    case "absent": {
      const isOver = now > due;
      const state = isOver ? "missing" : "pending";
      return (
        cancelled(moment, expectation, due, isOver) ?? orMoot(moment, expectation, since, { state })
      );
    }
  }
}

function judgeThere<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  { since, due }: Clock,
  begun: Met,
  untimed: Seen,
): Outcome<W> {
  const { name } = expectation;
  const { time: at, open, ...found } = timeOf(moment, expectation, untimed, since);
  if (open === undefined && at !== undefined) {
    const met = { time: at, assumed: [] };
    return at <= due
      ? { state: "met", at, met }
      : (cancelled(moment, expectation, due, true) ?? { state: "late", at, met });
  }
  // At its deadline or before, until the exact time would change a verdict.
  const isInTime = at !== undefined && at <= due;
  const latest = { time: isInTime ? at : due, assumed: [name, ...begun.assumed] };
  const met = { state: "met", ...(isInTime && { at }), met: latest } as const;
  // One in time is enough, whatever the others are.
  if (isInTime && !moment.pressing.has(name)) return met;
  const doubt = doubtOf(name, open) ?? begun.doubt;
  return { ...met, ...found, met: { ...latest, ...(doubt !== undefined && { doubt }) } };
}

/** When it appeared: at the latest, if that is left open, and what to load for the exact time if that matters. */
export function timeOf<W>(
  { see, timed }: Moment<W>,
  { name, want }: Expectation<W>,
  untimed: Seen,
  since?: number,
): { readonly time?: number; readonly open?: Seen; readonly need?: string } {
  const isAsked = timed.has(name) && openOf(untimed) !== undefined;
  const seen = isAsked ? see(want, true, since) : untimed;
  const open = openOf(seen);
  return {
    ...(seen.kind === "there" && seen.time !== undefined && { time: seen.time }),
    ...(open !== undefined && { open }),
    ...(isAsked && open?.kind === "need" && { need: open.need }),
  };
}

export function doubtOf(name: string, open: Seen | undefined): string | undefined {
  if (open?.kind === "need") return `the time of ${quote(name)} is not loaded`;
  if (open?.kind === "unknown") return `the time of ${quote(name)} is not known: ${open.reason}`;
  return undefined;
}

/** Undefined unless it is cancelled, or, where that decides something, may be. */
function cancelled<W>(
  { see, now }: Moment<W>,
  { cancel }: Expectation<W>,
  due: number,
  isDecisive: boolean,
): Outcome<W> | undefined {
  if (cancel === undefined) return undefined;
  // What is there at a time that is not known was there by now.
  const isInTime = (seen: Seen): boolean => seen.kind === "there" && (seen.time ?? now) <= due;
  const untimed = see(cancel, false);
  if (isInTime(untimed)) return { state: "cancelled" };
  if (!isDecisive) return undefined;
  const seen = openOf(untimed) === undefined ? untimed : see(cancel, true);
  if (isInTime(seen)) return { state: "cancelled" };
  const open = openOf(seen);
  return open === undefined || open.kind === "there" ? undefined : unknown(open);
}
