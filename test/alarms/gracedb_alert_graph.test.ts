import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AlertWant } from "../../alarms/lib/gracedb_alert_graph.ts";
import { ALERT_GRAPH, alertGraph } from "../../alarms/lib/gracedb_alert_graph.ts";
import { beganAt, lookAtAlert } from "../../alarms/lib/gracedb_alert_look.ts";
import { significanceOf } from "../../alarms/lib/gracedb_alert_significance.ts";
import { parseRecords } from "../../alarms/lib/gracedb_records.ts";
import { checkGraph } from "../../src/author/expectations/check_graph.ts";
import type { Sight, State } from "../../src/author/expectations/expectation.ts";
import { horizon } from "../../src/author/expectations/horizon.ts";
import { judge } from "../../src/author/expectations/judge.ts";
import { replay } from "../../src/author/expectations/replay.ts";
import { toDot } from "../../src/author/expectations/to_dot.ts";
import {
  CONFIRMED,
  LESS_SIGNIFICANT,
  PRODUCTS,
  recordsOf,
  type Timeline,
  without,
} from "./gracedb_timeline.ts";
import { knownOf, supereventOf } from "./known_superevent.ts";

const BEGAN = Date.UTC(2024, 4, 1, 12) / 1000;
const HOUR = 3600;

/** When it began, and how it is seen with all its lists loaded. */
function seen(timeline: Timeline, now?: number, began = BEGAN) {
  const { row, labels, voevents, logs } = recordsOf("S240501a", began, timeline, now);
  const superevent = { ...supereventOf(row), created: began };
  const known = knownOf({
    labels: parseRecords("labels", { labels }),
    voevents: parseRecords("voevents", voevents),
    logs: parseRecords("logs", logs),
  });
  const look = (want: AlertWant, timed: boolean): Sight =>
    lookAtAlert(superevent, known, want, timed);
  return { start: beganAt(superevent), look };
}

function statesAt(timeline: Timeline, seconds: number, began = BEGAN): { [name: string]: State } {
  const { start, look } = seen(timeline, seconds, began);
  const verdicts = judge(ALERT_GRAPH, start, look, began + seconds);
  return Object.fromEntries(verdicts.map(({ expectation, state }) => [expectation.name, state]));
}

/** What would be reported. */
function faultsAt(timeline: Timeline, seconds: number, began = BEGAN): string[] {
  return Object.entries(statesAt(timeline, seconds, began))
    .filter(([, state]) => ["missing", "bad", "unknown"].includes(state))
    .map(([name, state]) => `${name} ${state}`);
}

function labelled(timeline: Timeline, labels: Timeline["labels"]): Timeline {
  return { ...timeline, labels: { ...timeline.labels, ...labels } };
}

const RETRACTED = labelled(without(CONFIRMED, "ADVOK", "IN"), { ADVNO: 1500 });
const O3_BEGAN = Date.UTC(2019, 4, 21, 7, 44, 22) / 1000;
const O3: Timeline = {
  labels: { SKYMAP_READY: 60, EM_READY: 90, DQOK: 100, GCN_PRELIM_SENT: 360, ADVOK: 1900 },
  notices: [
    ["PR", 357],
    ["IN", 2007],
  ],
  row: { far: 3e-10, preferred_event_data: null },
};

describe("nothing is reported at any time", () => {
  const rows: readonly [sentence: string, timeline: Timeline, began?: number][] = [
    ["of a superevent that is confirmed", CONFIRMED],
    [
      "of one that is rejected and retracted",
      {
        ...RETRACTED,
        notices: [
          ["PR", 55],
          ["PR", 345],
          ["RE", 1530],
        ],
      },
    ],
    ["of a less significant one", LESS_SIGNIFICANT],
    ["of one below the limits of alerts, whatever is missing", { labels: {}, row: { far: 1e-5 } }],
    [
      "of one that was locked with a rate above today's limits",
      { ...LESS_SIGNIFICANT, row: { far: 2e-5 } },
    ],
    [
      "of a burst without source classification and p_astro",
      {
        ...without(CONFIRMED, "EMBRIGHT_READY", "PASTRO_READY"),
        row: { preferred_event_data: { group: "Burst", search: "AllSky", labels: [] } },
      },
    ],
    [
      "of a search for sub-solar masses without p_astro",
      {
        ...without(CONFIRMED, "PASTRO_READY"),
        row: { preferred_event_data: { group: "CBC", search: "SSM", labels: [] } },
      },
    ],
    [
      "of a mock event without a data-quality word",
      { ...without(CONFIRMED, "DQOK"), row: { category: "MDC" } },
    ],
    [
      "of one whose preferred event alone has the products",
      {
        ...without(CONFIRMED, "SKYMAP_READY", "EMBRIGHT_READY"),
        row: {
          preferred_event_data: {
            group: "CBC",
            labels: ["SKYMAP_READY", "EMBRIGHT_READY", "PASTRO_READY"],
          },
        },
      },
    ],
    [
      "of one that is vetoed: no preliminary notice, and people reject it",
      {
        labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQV: 31, ADVNO: 900 },
        notices: [],
      },
    ],
    [
      "of an injection: no notice, and no decision",
      { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31, INJ: 31 } },
    ],
    [
      "of one that people confirm before the second notice, which is blocked",
      {
        labels: { ...CONFIRMED.labels, ADVOK: 200 },
        notices: [
          ["PR", 55],
          ["IN", 230],
        ],
      },
    ],
    [
      "of one that people reject before the first, so that there is nothing to retract",
      { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31, ADVNO: 40 } },
    ],
    [
      "of an early warning that waits for the full bandwidth until people decide",
      {
        labels: { ...PRODUCTS, EARLY_WARNING: 28, DQOK: 31, GCN_PRELIM_SENT: 60, ADVOK: 800 },
        notices: [
          ["EW", 55],
          ["IN", 830],
        ],
      },
    ],
    [
      "of a less significant one that becomes significant: its second notice is not expected any more",
      {
        labels: {
          ...CONFIRMED.labels,
          LOW_SIGNIF_LOCKED: 27,
          LOW_SIGNIF_PRELIM_SENT: 40,
          SIGNIF_LOCKED: 200,
          GCN_PRELIM_SENT: 230,
        },
        notices: [
          ["PR", 38],
          ["PR", 225],
          ["PR", 520],
          ["IN", 1530],
        ],
        row: { far: 2e-6 },
      },
    ],
    [
      "of a less significant one whose second notice was blocked, as the log says",
      { ...LESS_SIGNIFICANT, notices: [["PR", 55]], blocked: [["ADVREQ", 331]] },
    ],
    ["of a run without locks and second notices, whose rows have no group", O3, O3_BEGAN],
  ];
  test.each(rows)("%s", (_sentence, timeline, began = BEGAN) => {
    for (let seconds = 0; seconds <= 3 * HOUR; seconds += 60)
      expect({ seconds, faults: faultsAt(timeline, seconds, began) }).toEqual({
        seconds,
        faults: [],
      });
  });
});

describe("what is wrong is reported, and nothing that waits for it", () => {
  const rows: readonly [sentence: string, Timeline, seconds: number, faults: readonly string[]][] =
    [
      [
        "a sky map that does not come",
        { labels: { EMBRIGHT_READY: 9, PASTRO_READY: 9 } },
        301,
        ["sky_map missing"],
      ],
      [
        "all products of one",
        { labels: {} },
        301,
        ["sky_map missing", "source_class missing", "p_astro missing"],
      ],
      [
        "a superevent that is not complete",
        { labels: { SKYMAP_READY: 20, EMBRIGHT_READY: 25, PASTRO_READY: 22 } },
        HOUR,
        ["complete missing"],
      ],
      ["a complete one that is not locked", { labels: PRODUCTS }, HOUR, ["locked missing"]],
      [
        "a less significant one that is not locked",
        { labels: PRODUCTS, row: { far: 2e-6 } },
        HOUR,
        ["less_significant_locked missing"],
      ],
      [
        "no data-quality word",
        without(CONFIRMED, "DQOK", "ADVOK", "IN"),
        HOUR,
        ["data_quality missing"],
      ],
      [
        "no preliminary notice",
        { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31 } },
        HOUR,
        ["preliminary missing"],
      ],
      [
        "one that was created, but not sent",
        { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31 }, notices: [["PR", 55]] },
        200,
        ["preliminary bad"],
      ],
      [
        "one notice where there should be two",
        { ...without(CONFIRMED, "ADVOK"), notices: [["PR", 55]] },
        661,
        ["second_preliminary missing"],
      ],
      [
        "a second notice that is the first since the superevent became significant",
        {
          labels: {
            ...without(CONFIRMED, "ADVOK").labels,
            LOW_SIGNIF_LOCKED: 27,
            LOW_SIGNIF_PRELIM_SENT: 40,
            SIGNIF_LOCKED: 200,
            GCN_PRELIM_SENT: 230,
          },
          notices: [
            ["PR", 38],
            ["PR", 225],
          ],
        },
        900,
        ["second_preliminary missing"],
      ],
      [
        "one less-significant notice of two",
        { ...LESS_SIGNIFICANT, notices: [["PR", 55]] },
        661,
        ["second_less_significant missing"],
      ],
      [
        "one that was blocked after its time",
        { ...LESS_SIGNIFICANT, notices: [["PR", 55]], blocked: [["ADVREQ", 700]] },
        HOUR,
        ["second_less_significant missing"],
      ],
      [
        "no less-significant notice",
        { ...without(LESS_SIGNIFICANT, "LOW_SIGNIF_PRELIM_SENT", "PR") },
        HOUR,
        ["less_significant missing"],
      ],
      [
        "an early warning without its notice",
        { labels: { ...PRODUCTS, EARLY_WARNING: 28, DQOK: 31 } },
        330,
        ["early_warning missing"],
      ],
      [
        "no decision in its hour",
        without(CONFIRMED, "ADVOK", "IN"),
        28 + HOUR + 1,
        ["decision missing"],
      ],
      [
        "no decision on a vetoed one",
        { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQV: 31 } },
        28 + HOUR + 1,
        ["decision missing"],
      ],
      [
        "a confirmed one without its initial notice",
        without(CONFIRMED, "IN"),
        2101,
        ["initial missing"],
      ],
      [
        "notices of other types, whose names are a part of the one that is missing",
        {
          ...CONFIRMED,
          notices: [
            ["PR", 55],
            ["", 1530],
            ["N", 1530],
          ],
        },
        2101,
        ["initial missing"],
      ],
      ["a rejected one without its retraction", RETRACTED, 2101, ["retraction missing"]],
      [
        "a confirmed one that was rejected later: the retraction, and not the initial notice",
        labelled(without(CONFIRMED, "IN"), { ADVNO: 3000 }),
        3601,
        ["retraction missing"],
      ],
      [
        "parameters estimated, and no update in a day",
        labelled(CONFIRMED, { PE_READY: 5000 }),
        5001 + 24 * HOUR,
        ["update missing"],
      ],
    ];
  test.each(rows)("%s", (_sentence, timeline, seconds, faults) => {
    expect(faultsAt(timeline, seconds)).toEqual(faults);
  });

  test.each([
    ["a sky map", { labels: {} }, 300],
    ["a preliminary notice", { labels: { ...PRODUCTS, SIGNIF_LOCKED: 28, DQOK: 31 } }, 328],
    ["a second notice", { ...without(CONFIRMED, "ADVOK"), notices: [["PR", 55]] }, 660],
    ["a decision", without(CONFIRMED, "ADVOK", "IN"), 28 + HOUR],
    ["an initial notice", without(CONFIRMED, "IN"), 2100],
  ] as const)("%s is not reported at its deadline", (_sentence, timeline, seconds) => {
    expect(faultsAt(timeline, seconds)).toEqual([]);
  });

  test("what came after its time is late", () => {
    const late = {
      ...labelled(CONFIRMED, { ADVOK: 4000 }),
      notices: [
        ["PR", 55],
        ["PR", 900],
        ["IN", 5000],
      ],
    } as const;
    expect(statesAt(late, 3000)).toMatchObject({ second_preliminary: "late" });
    expect(statesAt(late, 6000)).toMatchObject({ decision: "late", initial: "late" });
  });
});

describe("replay", () => {
  const late: Timeline = {
    labels: {
      ...CONFIRMED.labels,
      SKYMAP_READY: 700,
      EM_READY: 702,
      SIGNIF_LOCKED: 703,
      DQOK: 704,
      GCN_PRELIM_SENT: 900,
    },
    notices: [
      ["PR", 890],
      ["PR", 1200],
      ["IN", 2900],
    ],
  };
  test.each([
    [1, ["initial", "sky_map"]],
    [5, ["initial", "sky_map"]],
    // The sky map came between two ticks.
    [15, ["initial"]],
  ])(
    "every %i minutes reports what is late for long enough, and nothing that waited for it",
    (minutes, expected) => {
      const times = Array.from(
        { length: (24 * 60) / minutes },
        (_, index) => BEGAN + (index + 1) * minutes * 60,
      );
      const reported = replay(ALERT_GRAPH, BEGAN, seen(late).look, times).flatMap((verdicts) =>
        verdicts.filter(({ state }) => state === "missing" || state === "bad"),
      );
      const names = new Set(reported.map(({ expectation }) => expectation.name));
      expect([...names].sort()).toEqual(expected);
    },
  );

  test("what is recorded later than now changes nothing", () => {
    const seconds = fc.integer({ min: 0, max: 9000 });
    const label = fc.constantFrom(
      ...Object.keys(CONFIRMED.labels),
      "LOW_SIGNIF_LOCKED",
      "EARLY_WARNING",
      "DQV",
      "INJ",
      "ADVNO",
      "ADVREQ",
      "PE_READY",
    );
    const timeline = fc.record({
      labels: fc.dictionary(label, seconds),
      notices: fc.array(fc.tuple(fc.constantFrom("EW", "PR", "IN", "UP", "RE"), seconds), {
        maxLength: 6,
      }),
      blocked: fc.array(fc.tuple(fc.constantFrom("ADVREQ", "ADVOK"), seconds), { maxLength: 2 }),
      row: fc.constantFrom({ far: 1e-9 }, { far: 2e-6 }, { far: 1e-5 }),
    });
    fc.assert(
      fc.property(timeline, seconds, (given, at) => {
        const now = BEGAN + at;
        expect(judge(ALERT_GRAPH, BEGAN, seen(given).look, now)).toEqual(
          judge(ALERT_GRAPH, BEGAN, seen(given, at).look, now),
        );
      }),
      { numRuns: 2000 },
    );
  });
});

describe("the graph", () => {
  test("is right, and can be drawn", () => {
    expect(checkGraph(ALERT_GRAPH)).toEqual([]);
    expect(toDot(ALERT_GRAPH, "alerts")).toContain('"preliminary" -> "second_preliminary"');
  });

  test("takes the times of the site, and expects no update without one", () => {
    const graph = alertGraph({ decision: 30, update: undefined });
    const named = new Map(graph.expectations.map(({ name, within }) => [name, within]));
    expect([named.get("decision"), named.has("update")]).toEqual([1800, false]);
    expect(horizon(graph)).toBeLessThan(3 * HOUR);
  });
});

test("the lock is not due before the preferred event that made it significant", () => {
  const upgraded: Timeline = {
    labels: { ...PRODUCTS, LOW_SIGNIF_LOCKED: 28, DQOK: 31 },
    row: { preferred_event_data: { group: "CBC", created: "2024-05-01 12:10:00 UTC" } },
  };
  expect(statesAt(upgraded, 659)).toMatchObject({ complete: "met", locked: "pending" });
  expect(statesAt(upgraded, 661)).toMatchObject({ locked: "missing" });
});

test.each([
  ["CBC", "AllSky", 6.4e-8, "significant"],
  ["CBC", "AllSky", 6.5e-8, "less significant"],
  ["CBC", "EarlyWarning", 9.6e-8, "significant"],
  ["CBC", "SSM", 2e-8, "less significant"],
  ["Burst", "AllSky", 2e-8, "less significant"],
  ["Burst", "BBH", 6.4e-8, "significant"],
  [null, null, 1e-8, "significant"],
  ["CBC", "AllSky", 3.4e-6, "none"],
  ["CBC", "AllSky", null, "none"],
])("%s %s with a rate of %s is %s", (group, search, far, significance) => {
  const { row } = recordsOf("S1", BEGAN, {
    labels: {},
    row: { far, preferred_event_data: { group, search } },
  });
  expect(significanceOf(supereventOf(row))).toBe(significance);
});
