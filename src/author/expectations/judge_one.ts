import { quote } from "../../text/describe.ts";
import type { Expectation } from "./expectation.ts";
import { doubtOf, judgeDue, timeOf } from "./judge_due.ts";
import type { Met, Moment, Outcome } from "./outcome.ts";
import { openOf, type Seen } from "./term.ts";
import { moot, orMoot, undecided } from "./undecided.ts";

/** What became of an expectation, once those that it comes after are judged. */
export function judgeOne<W>(moment: Moment<W>, expectation: Expectation<W>): Outcome<W> {
  const { start, see, judged } = moment;
  const { name, when, after = [] } = expectation;
  const guard = when === undefined ? undefined : see(when, false);
  if (guard?.kind === "absent") return { state: "not expected" };
  if (guard !== undefined && guard.kind !== "there")
    return undecided(moment, guard, name, start, "waiting");
  const parents = after.flatMap((parent) => {
    const outcome = judged.get(parent);
    return outcome === undefined || outcome.state === "not expected" ? [] : { parent, ...outcome };
  });
  if (after.length > 0 && parents.length === 0) return { state: "not expected" };
  const live = parents.filter(({ isMoot = false }) => !isMoot);
  if (parents.length > 0 && live.length === 0)
    return judgeMoot(moment, expectation, parents[0]?.reason);
  const cancelled = live.find(({ state }) => state === "cancelled");
  if (cancelled !== undefined)
    return { state: "cancelled", reason: `${quote(cancelled.parent)} is cancelled` };
  const met = live.flatMap((parent) => parent.met ?? []);
  const isMet = met.length === live.length;
  return isMet ? judgeMet(moment, expectation, met) : waiting(moment, expectation);
}

/** Its parents are met, or it has none. */
function judgeMet<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  parents: readonly Met[],
): Outcome<W> {
  const { start, isEarly } = moment;
  const { name, from } = expectation;
  const times = parents.flatMap(({ time }) => time ?? []);
  const assumed = parents.flatMap((parent) => parent.assumed);
  const doubt = parents.find((parent) => parent.doubt !== undefined)?.doubt;
  if (times.length < parents.length && isEarly(name, start)) return waiting(moment, expectation);
  if (times.length < parents.length)
    return doubt === undefined
      ? { ...waiting(moment, expectation), asks: assumed }
      : { state: "unknown", reason: doubt };
  const met = { assumed, ...(doubt !== undefined && { doubt }) };
  if (from === undefined) {
    const time = times.length === 0 ? start : Math.max(...times);
    return judgeDue(moment, expectation, { ...met, time });
  }
  const untimed = moment.see(from, false);
  const begun = openOf(untimed) === undefined ? untimed : moment.see(from, true);
  if (begun.kind === "absent") return waiting(moment, expectation);
  const open = openOf(begun);
  if (begun.kind === "there" && begun.time !== undefined && open?.kind !== "need")
    return judgeDue(moment, expectation, { ...met, time: Math.max(...times, begun.time) });
  const obstacle = open === undefined ? begun : open.kind === "there" ? NO_TIME : open;
  return undecided(moment, obstacle, name, Math.max(...times, start), "waiting");
}

const NO_TIME: Seen = {
  kind: "unknown",
  reason: "the time that its clock starts from is not known",
};

function waiting<W>(moment: Moment<W>, expectation: Expectation<W>): Outcome<W> {
  return orMoot(moment, expectation, moment.start, { state: "waiting" });
}

/** All that it comes after is moot: its clock never starts. */
function judgeMoot<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  reason: string | undefined,
): Outcome<W> {
  const { name, want } = expectation;
  const seen = moment.see(want, false);
  if (seen.kind === "absent" || seen.kind === "bad") return moot(reason);
  if (seen.kind !== "there") return undecided(moment, seen, name, moment.start, "waiting");
  const { time, open, need } = timeOf(moment, expectation, seen);
  const doubt = doubtOf(name, open);
  return {
    state: "met",
    ...(open === undefined && time !== undefined && { at: time }),
    ...(need !== undefined && { need }),
    met: {
      ...(time !== undefined && { time }),
      assumed: open === undefined ? [] : [name],
      ...(time === undefined && doubt !== undefined && { doubt }),
    },
  };
}
