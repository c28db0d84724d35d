import { quote } from "../../text/describe.ts";
import type { Expectation } from "./expectation.ts";
import { laterStage } from "./later_stage.ts";
import type { Moment, Outcome } from "./outcome.ts";
import type { Seen } from "./term.ts";

/** What is not loaded is needed only if it would decide something, and so is what cannot be looked at. */
export function undecided<W>(
  { isEarly }: Moment<W>,
  seen: Seen,
  name: string,
  since: number,
  before: "pending" | "waiting",
): Outcome<W> {
  return isEarly(name, since) ? { state: before } : unknown(seen);
}

export function unknown<W>(seen: Seen): Outcome<W> {
  if (seen.kind === "need") return { state: "unknown", need: seen.need };
  const reason = seen.kind === "unknown" || seen.kind === "bad" ? seen.reason : "";
  return { state: "unknown", reason };
}

/** Once a later stage is reached, what did not come of an earlier one does not matter any more. */
export function orMoot<W>(
  moment: Moment<W>,
  expectation: Expectation<W>,
  since: number,
  outcome: Outcome<W>,
): Outcome<W> {
  const { graph, see, isEarly } = moment;
  const { seen, reached = "" } = laterStage(graph, expectation, (term) => see(term, false));
  if (seen.kind === "there") return moot(`the stage ${quote(reached)} is reached`);
  const isDue = outcome.state === "bad" || !isEarly(expectation.name, since);
  return isDue && (seen.kind === "need" || seen.kind === "unknown") ? unknown(seen) : outcome;
}

export function moot<W>(reason: string | undefined): Outcome<W> {
  return { state: "cancelled", isMoot: true, ...(reason !== undefined && { reason }) };
}
