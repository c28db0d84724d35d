import type { Detection, Verdict } from "swf-alarms";
import { show } from "./fields.ts";
import type { AlertWant } from "./gracedb_alert_graph.ts";
import { type Candidate, significanceOf } from "./gracedb_candidate.ts";

const SUPEREVENT_PAGES = "https://gracedb.ligo.org/superevents/";

/** What is added to an overdue step: the superevent, and where to look. */
export function describeStep(
  candidate: Candidate,
  { expectation, reason }: Verdict<AlertWant>,
): Partial<Omit<Detection, "dedupeKey">> {
  const { superevent_id: id, category, labels, far, group, pipeline, search } = candidate;
  const significance = significanceOf(candidate);
  const advice = ADVICE[expectation.name] ?? "Look at the log of the superevent.";
  return {
    body: [
      `${reason === undefined ? "" : `It is there, but ${reason}. `}${advice}`,
      "",
      `Category:     ${show(category)}`,
      `Group:        ${show(group)}`,
      `Pipeline:     ${show(pipeline)}`,
      `Search:       ${show(search)}`,
      `FAR:          ${far === null ? "?" : `${far} Hz`} (${SIGNIFICANCE[significance]})`,
      `Labels:       ${labels.map(show).join(", ")}`,
      "",
      `Superevent page: ${SUPEREVENT_PAGES}${encodeURIComponent(id)}/view/`,
    ].join("\n"),
    data: { superevent_id: id, category, labels, far, group, pipeline, search },
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
  decision: "Until it is made, neither the initial notice nor a retraction is sent.",
  initial: "The candidate was confirmed (ADVOK), but astronomers were not told.",
  retraction: "The candidate was rejected (ADVNO), but astronomers were not told.",
};
