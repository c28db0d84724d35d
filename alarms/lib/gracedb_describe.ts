import type { Detection, Verdict } from "swf-alarms";
import { show } from "./fields.ts";
import type { FollowedSuperevent } from "./gracedb_followed.ts";

const SUPEREVENT_PAGES = "https://gracedb.ligo.org/superevents/";

/** What people need to know of a superevent of which something is missing or unusable. */
export function describeFollowed<W>(
  { superevent }: FollowedSuperevent,
  { state, reason, since, due, expectation }: Verdict<W>,
): Pick<Detection, "body" | "data"> {
  const { superevent_id: id, category, group, pipeline, search, far, labels } = superevent;
  const { words = expectation.name, owner = null } = expectation;
  const { preferredLabels } = superevent;
  return {
    body: [
      state === "bad"
        ? `Superevent ${show(id)}: ${words} cannot be used: ${reason}.`
        : `Superevent ${show(id)}: ${words} is missing.`,
      "",
      `Expected from:    ${timeText(since)}`,
      `Expected by:      ${timeText(due)}`,
      `Owner:            ${show(owner)}`,
      `Category:         ${show(category)}`,
      `Group:            ${show(group)}`,
      `Pipeline:         ${show(pipeline)}`,
      `Search:           ${show(search)}`,
      `FAR:              ${far === null ? "?" : `${far} Hz`}`,
      `Labels:           ${labels.map(show).join(", ")}`,
      `Preferred event:  ${preferredLabels.map(show).join(", ")}`,
      "",
      `Superevent page: ${SUPEREVENT_PAGES}${encodeURIComponent(id)}/view/`,
    ].join("\n"),
    data: { superevent_id: id, category, group, pipeline, search, far, labels },
  };
}

function timeText(seconds: number | undefined): string {
  return seconds === undefined
    ? "?"
    : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
