import { type Detection, utcSecond, type Verdict } from "swf-alarms";
import { bodyOf, dataOf, type Superevent } from "./gracedb.ts";
import type { AlertWant } from "./gracedb_alert_graph.ts";
import { significanceOf } from "./gracedb_alert_significance.ts";

/** What is added to an overdue step: what it means, and the superevent. */
export function describeStep(
  superevent: Superevent,
  { expectation: { name }, state, reason, due }: Verdict<AlertWant>,
): Partial<Detection> {
  const advice = ADVICE[name] ?? "";
  const text = state === "bad" ? `Unusable: ${reason}. ${advice}` : advice;
  const significance = significanceOf(superevent);
  return {
    body: bodyOf(superevent, text, [
      ["Expected by", due === undefined ? "?" : utcSecond(due)],
      ["Significance", significance === "none" ? "below the limits of alerts" : significance],
    ]),
    data: dataOf(superevent),
    // What comes after it waits and is not reported: this is all that is said of an alert that is not sent.
    ...(significance === "significant" && PREVENTS_ALERT.has(name) && { severity: "error" }),
  };
}

const PREVENTS_ALERT: ReadonlySet<string> = new Set([
  "sky_map",
  "source_class",
  "p_astro",
  "complete",
]);

const PRODUCT =
  "Without it, the superevent is not locked and no notice is sent. See the logs of the superevent and of its preferred event.";
const NOT_NOTIFIED = "Astronomers know nothing of this candidate yet.";
const FIRST_ONLY =
  "The first notice went out with the preferred event and sky map of that time, which may not be the best by now.";

/** What it means, and what to do, by the name of the expectation. */
const ADVICE: { readonly [name: string]: string } = {
  sky_map: PRODUCT,
  source_class: PRODUCT,
  p_astro: PRODUCT,
  complete: `All products are there, but not this label. ${PRODUCT}`,
  locked: "Without this label, no preliminary notice is sent.",
  less_significant_locked: "Without this label, no less-significant notice is sent.",
  data_quality: "The detectors' data may not have arrived; check it by hand before the decision.",
  early_warning: NOT_NOTIFIED,
  preliminary: NOT_NOTIFIED,
  second_preliminary: FIRST_ONLY,
  less_significant: NOT_NOTIFIED,
  second_less_significant: FIRST_ONLY,
  decision:
    "Until it is made, neither the initial notice nor a retraction is sent. Ask the people on shift for it.",
  initial: "The candidate was confirmed (ADVOK), but astronomers have not been notified.",
  retraction: "The candidate was rejected (ADVNO), but astronomers have not been notified.",
  update: "Parameters were estimated (PE_READY), but astronomers have not been notified.",
};
