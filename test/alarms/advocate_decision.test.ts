import { describe, expect, test } from "vitest";
import {
  awaitsDecision,
  describeWaiting,
  waitingSince,
} from "../../alarms/lib/advocate_decision.ts";
import { parseLabelRecords, parseSuperevent } from "../../alarms/lib/superevent.ts";
import { parseUtc } from "../../src/text/utc.ts";

describe("a decision is awaited", () => {
  const rows: readonly [sentence: string, labels: readonly string[], awaits: boolean][] = [
    ["once people are asked", ["EM_READY", "ADVREQ"], true],
    ["not before", ["EM_READY"], false],
    ["not without labels", [], false],
    ["no longer when they say yes", ["ADVREQ", "ADVOK"], false],
    ["no longer when they say no", ["ADVNO", "ADVREQ"], false],
    ["not where the label only looks like it", ["ADVREQ_LATER"], false],
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
      "the superevent was made, when there is no record",
      [],
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "the superevent was made, when the record has no time",
      [{ name: "ADVREQ", created: "soon" }],
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "the superevent was made, when the answer is none",
      undefined,
      { since: 1000, sinceIs: "superevent" },
    ],
    [
      "no time at all, when the records show a decision",
      [
        { name: "ADVREQ", created: "2023-08-31 08:46:40 UTC" },
        { name: "ADVNO", created: "2023-08-31 09:00:00 UTC" },
      ],
      undefined,
    ],
  ];
  test.each(rows)("%s", (_sentence, labels, since) => {
    expect(waitingSince(1000, parseLabelRecords({ labels }))).toEqual(since);
  });

  test("an answer without labels has no records", () => {
    expect(
      [undefined, null, [], { labels: {} }, { labels: [1, { name: 2 }] }].map(parseLabelRecords),
    ).toEqual([[], [], [], [], []]);
  });
});

const ROW = {
  superevent_id: "S190521r",
  category: "Production",
  created: "2023-08-31 08:00:00 UTC",
  far: 3.2e-10,
  labels: ["ADVREQ", "EM_READY"],
  preferred_event_data: { group: "CBC", pipeline: "gstlal" },
};

function told(changes: object, minutes: number) {
  const parsed = parseSuperevent({ ...ROW, ...changes });
  if (!parsed.ok) throw new Error(parsed.fault);
  const since = parseUtc(ROW.created) ?? 0;
  return describeWaiting(parsed.superevent, { since, sinceIs: "label" }, since + minutes * 60);
}

describe("a superevent is told", () => {
  const waits: readonly [sentence: string, minutes: number, metric: string][] = [
    ["with no more than has passed", 19.9, "19 min"],
    ["at once, if that is wanted", 0, "0 min"],
    ["in minutes up to two hours", 119, "119 min"],
    ["in hours up to two days", 47.9 * 60, "47 h"],
    ["in days from then on", 48 * 60, "2 d"],
  ];
  test.each(waits)("%s", (_sentence, minutes, metric) => {
    const { subject, data } = told({}, minutes);
    expect(data?.metric).toBe(metric);
    expect(subject).toBe(
      `superevent S190521r (Production) awaits a decision for ${metric}, since 2023-08-31 08:00:00 UTC`,
    );
  });

  test("with what people need to decide", () => {
    expect(
      told({}, 42).body,
    ).toBe(`Superevent S190521r has the label ADVREQ and neither ADVOK nor ADVNO.

Waiting since: 2023-08-31 08:00:00 UTC (when ADVREQ was set)
Waited:        42 min at 2023-08-31 08:42:00 UTC
Category:      Production
Group:         CBC
Pipeline:      gstlal
FAR:           3.2e-10 Hz
Labels:        ADVREQ, EM_READY

Superevent page: https://gracedb.ligo.org/superevents/S190521r/view/`);
  });

  test("with null for what a row of 2019 does not have", () => {
    const changes = { preferred_event_data: undefined, far: undefined, category: undefined };
    expect(told(changes, 42).data).toEqual({
      metric: "42 min",
      superevent_id: "S190521r",
      category: null,
      waiting_since: "2023-08-31 08:00:00 UTC",
      since_is: "label",
      far: null,
      labels: ["ADVREQ", "EM_READY"],
      group: null,
      pipeline: null,
    });
  });
});

test.each([
  ["no id", { superevent_id: null }],
  ["an empty id", { superevent_id: "" }],
  ["no labels", { labels: undefined }],
  ["labels that are none", { labels: [{ name: "ADVREQ" }] }],
])("a row with %s is a fault", (_sentence, changes) => {
  expect(parseSuperevent({ ...ROW, ...changes }).ok).toBe(false);
});
