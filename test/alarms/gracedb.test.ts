import { describe, expect, test } from "vitest";
import {
  awaitsDecision,
  describeWaiting,
  parseSuperevent,
  waitingSince,
} from "../../alarms/lib/gracedb.ts";
import { parseUtc } from "../../src/text/utc.ts";

describe("a decision is awaited", () => {
  const rows: readonly [sentence: string, labels: readonly string[], awaits: boolean][] = [
    ["once it was requested", ["EM_READY", "ADVREQ"], true],
    ["not before", ["EM_READY"], false],
    ["not without labels", [], false],
    ["no longer after ADVOK", ["ADVREQ", "ADVOK"], false],
    ["no longer after ADVNO", ["ADVNO", "ADVREQ"], false],
    ["not with a label that only looks similar", ["ADVREQ_LATER"], false],
  ];
  test.each(rows)("%s", (_sentence, labels, awaits) => {
    expect(awaitsDecision(labels)).toBe(awaits);
  });
});

describe("it is awaited since", () => {
  const rows: readonly [sentence: string, records: unknown, since: unknown][] = [
    [
      "the label was set",
      [
        { name: "EM_READY", created: "2023-08-31 08:45:00 UTC" },
        { name: "ADVREQ", created: "2023-08-31 08:46:40 UTC" },
      ],
      { since: 1693471600, sinceIs: "label" },
    ],
    [
      "the superevent was created, if there is no record",
      [],
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "the superevent was created, if the record has no time",
      [{ name: "ADVREQ", created: "soon" }],
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "the superevent was created, if there are no labels",
      undefined,
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "no time at all, if the records show a decision",
      [
        { name: "ADVREQ", created: "2023-08-31 08:46:40 UTC" },
        { name: "ADVNO", created: "2023-08-31 09:00:00 UTC" },
      ],
      undefined,
    ],
  ];
  test.each(rows)("%s", (_sentence, labels, since) => {
    expect(waitingSince(1000, { labels })).toEqual(since);
  });

  test.each([undefined, null, [], { labels: {} }, { labels: [1, { name: 2 }] }])(
    "the superevent was created, if the response is %j",
    (response) => {
      expect(waitingSince(1000, response)).toEqual({ since: 1000, sinceIs: "superevent" });
    },
  );
});

const ROW = {
  superevent_id: "S190521r",
  category: "Production",
  created: "2023-08-31 08:00:00 UTC",
  far: 3.2e-10,
  labels: ["ADVREQ", "EM_READY"],
  preferred_event_data: { group: "CBC", pipeline: "gstlal" },
};

function described(changes: object, minutes: number) {
  const parsed = parseSuperevent({ ...ROW, ...changes });
  if (!parsed.ok) throw new Error(parsed.error);
  const since = parseUtc(ROW.created) ?? 0;
  return describeWaiting(parsed.superevent, { since, sinceIs: "label" }, since + minutes * 60);
}

describe("a superevent is described", () => {
  const waits: readonly [sentence: string, minutes: number, metric: string][] = [
    ["with no more than has passed", 19.9, "19 min"],
    ["at once, if the limit is 0", 0, "0 min"],
    ["in minutes up to two hours", 119, "119 min"],
    ["in hours up to two days", 47.9 * 60, "47 h"],
    ["in days from then on", 48 * 60, "2 d"],
  ];
  test.each(waits)("%s", (_sentence, minutes, metric) => {
    const { subject, data } = described({}, minutes);
    expect(data?.metric).toBe(metric);
    expect(subject).toBe(
      `superevent S190521r (Production) has waited ${metric} for a decision, since 2023-08-31 08:00:00 UTC`,
    );
  });

  test("with what people need to decide", () => {
    expect(
      described({}, 42).body,
    ).toBe(`Superevent S190521r has the label ADVREQ, but neither ADVOK nor ADVNO.

Waiting since: 2023-08-31 08:00:00 UTC (when ADVREQ was set)
Waited:        42 min at 2023-08-31 08:42:00 UTC
Category:      Production
Group:         CBC
Pipeline:      gstlal
Search:        ?
FAR:           3.2e-10 Hz
Labels:        ADVREQ, EM_READY
Event labels:  none

Superevent page: https://gracedb.ligo.org/superevents/S190521r/view/`);
  });

  test("with null for fields that rows of 2019 lack", () => {
    const changes = { preferred_event_data: undefined, far: undefined, category: undefined };
    expect(described(changes, 42).data).toEqual({
      metric: "42 min",
      superevent_id: "S190521r",
      category: null,
      waiting_since: "2023-08-31 08:00:00 UTC",
      since_is: "label",
      far: null,
      labels: ["ADVREQ", "EM_READY"],
      group: null,
      pipeline: null,
      search: null,
    });
  });
});

test.each([
  ["no id", { superevent_id: null }],
  ["an empty id", { superevent_id: "" }],
  ["no labels", { labels: undefined }],
  ["invalid labels", { labels: [{ name: "ADVREQ" }] }],
])("a row with %s is an error", (_sentence, changes) => {
  expect(parseSuperevent({ ...ROW, ...changes }).ok).toBe(false);
});
