import { type Detection, utcSecond, type Verdict } from "swf-alarms";
import { bodyOf, dataOf, type Superevent } from "./gracedb.ts";
import type { AlertWant } from "./gracedb_alert_graph.ts";
import { significanceOf } from "./gracedb_alert_significance.ts";

/** What is added to an overdue step: what to do, and the superevent. */
export function describeStep(
  superevent: Superevent,
  { expectation, state, reason, due }: Verdict<AlertWant>,
): Partial<Detection> {
  const advice = ADVICE[expectation.name] ?? "Look at the log of the superevent.";
  const text = state === "bad" ? `Unusable: ${reason}. ${advice}` : advice;
  return {
    body: bodyOf(superevent, text, [
      ["Expected by", due === undefined ? "?" : utcSecond(due)],
      ["Significance", SIGNIFICANCE[significanceOf(superevent)]],
    ]),
    data: dataOf(superevent),
  };
}

const SIGNIFICANCE = {
  significant: "significant",
  "less significant": "less significant",
  none: "below the limits of alerts",
} as const;

/** What to do, by the name of the expectation. */
const ADVICE: { readonly [name: string]: string } = {
  locked: "Without this label, no preliminary notice is sent.",
  data_quality: "The detectors' data may not have arrived; check it by hand before the decision.",
  preliminary: "Astronomers know nothing of this candidate yet.",
  second_preliminary:
    "The first notice went out with the preferred event and sky map of that time.",
  decision: "Until it is made, neither the initial notice nor a retraction is sent.",
  initial: "The candidate was confirmed (ADVOK), but astronomers were not told.",
  retraction: "The candidate was rejected (ADVNO), but astronomers were not told.",
};
