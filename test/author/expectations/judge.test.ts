import { describe, expect, test } from "vitest";
import type { Expectation, Graph, Sight } from "../../../src/author/expectations/expectation.ts";
import { judge } from "../../../src/author/expectations/judge.ts";

type Sights = { readonly [want: string]: Sight | { readonly cheap: Sight; readonly exact: Sight } };

/** `name: state`, with what else a verdict says where a row asks for it. */
function judged(
  expectations: readonly Expectation<string>[],
  sights: Sights,
  now: number,
  stages?: readonly string[],
): readonly string[] {
  const graph: Graph<string> = { expectations, ...(stages && { stages }) };
  const look = (want: string, timed: boolean): Sight => {
    const sight = sights[want] ?? false;
    if (typeof sight !== "object" || !("cheap" in sight)) return sight;
    return timed ? sight.exact : sight.cheap;
  };
  return judge(graph, 1000, look, now).map(({ expectation, state, reason, at, due, need }) => {
    const parts = [
      state,
      ...(state === "late" ? [`by ${(at ?? 0) - (due ?? 0)} s`] : []),
      ...(reason === undefined ? [] : [`(${reason})`]),
      ...(need === undefined ? [] : [`needs ${need}`]),
    ];
    return `${expectation.name} ${parts.join(" ")}`;
  });
}

const MAP: Expectation<string> = { name: "map", want: "map", within: 100 };
const NOTICE: Expectation<string> = { name: "notice", want: "notice", within: 60, after: ["map"] };

type Row = readonly [string, readonly Expectation<string>[], Sights, number, readonly string[]];

describe("one expectation", () => {
  test.each<Row>([
    ["is pending until its deadline", [MAP], {}, 1100, ["map pending"]],
    ["is missing after it", [MAP], {}, 1101, ["map missing"]],
    ["is met in time", [MAP], { map: 1100 }, 5000, ["map met"]],
    ["is met before its clock started", [MAP], { map: 900 }, 5000, ["map met"]],
    [
      "is late by the data, whenever that is read",
      [MAP],
      { map: 1130 },
      5000,
      ["map late by 30 s"],
    ],
    ["is met if its time is not known", [MAP], { map: true }, 5000, ["map met"]],
    ["is bad at once", [MAP], { map: { bad: "empty" } }, 1001, ["map bad (empty)"]],
    [
      "is not there yet if the data dates it later than now",
      [MAP],
      { map: 1090 },
      1050,
      ["map pending"],
    ],
    ["is missing, although it comes later", [MAP], { map: 1130 }, 1120, ["map missing"]],
    [
      "is not bad yet if that is later than now",
      [MAP],
      { map: { bad: "empty", at: 1130 } },
      1120,
      ["map missing"],
    ],
    [
      "that cannot be looked at does not matter before its deadline",
      [MAP],
      { map: { unknown: "504" } },
      1100,
      ["map pending"],
    ],
    [
      "that cannot be looked at is unknown after it",
      [MAP],
      { map: { unknown: "504" } },
      1101,
      ["map unknown (504)"],
    ],
    ["is not loaded before its deadline", [MAP], { map: { need: "files" } }, 1100, ["map pending"]],
    ["is loaded after it", [MAP], { map: { need: "files" } }, 1101, ["map unknown needs files"]],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now)).toEqual(states);
  });
});

describe("what comes after another", () => {
  test.each<Row>([
    ["waits for it", [MAP, NOTICE], {}, 1050, ["map pending", "notice waiting"]],
    [
      "is no second detection where that is missing",
      [MAP, NOTICE],
      {},
      9000,
      ["map missing", "notice waiting"],
    ],
    ["has its clock from there", [MAP, NOTICE], { map: 1050 }, 1110, ["map met", "notice pending"]],
    ["is missing after that", [MAP, NOTICE], { map: 1050 }, 1111, ["map met", "notice missing"]],
    [
      "has its clock from there even if that was late",
      [MAP, NOTICE],
      { map: 1150, notice: 1200 },
      1300,
      ["map late by 50 s", "notice met"],
    ],
    [
      "waits for a bad one",
      [MAP, NOTICE],
      { map: { bad: "empty" } },
      9000,
      ["map bad (empty)", "notice waiting"],
    ],
    [
      "comes after the last of several",
      [MAP, { ...MAP, name: "class", want: "class" }, { ...NOTICE, after: ["map", "class"] }],
      { map: 1010, class: 1080 },
      1140,
      ["map met", "class met", "notice pending"],
    ],
    [
      "does not come after one that is not expected",
      [
        { ...MAP, when: "cbc" },
        { ...MAP, name: "class", want: "class" },
        { ...NOTICE, after: ["map", "class"] },
      ],
      { class: 1010 },
      1071,
      ["map not expected", "class met", "notice missing"],
    ],
    [
      "is not expected if none of those is",
      [{ ...MAP, when: "cbc" }, NOTICE],
      { notice: false },
      9000,
      ["map not expected", "notice not expected"],
    ],
    [
      "is cancelled with it",
      [{ ...MAP, cancel: "veto" }, NOTICE],
      { veto: 1050 },
      9000,
      ["map cancelled", 'notice cancelled ("map" is cancelled)'],
    ],
    [
      "is loaded for what it decides of its children",
      [MAP, { ...NOTICE, within: 10 }],
      { map: { need: "files" } },
      1011,
      ["map unknown needs files", "notice waiting"],
    ],
    [
      "and of theirs",
      [MAP, NOTICE, { ...NOTICE, name: "draft", within: 10, after: ["notice"] }],
      { map: { need: "files" } },
      1011,
      ["map unknown needs files", "notice waiting", "draft waiting"],
    ],
    [
      "and not before",
      [MAP, { ...NOTICE, within: 10 }],
      { map: { need: "files" } },
      1010,
      ["map pending", "notice waiting"],
    ],
    [
      "stands in any order in the graph",
      [NOTICE, MAP],
      { map: 1050 },
      1111,
      ["notice missing", "map met"],
    ],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now)).toEqual(states);
  });
});

describe("what was met at a time that is not known", () => {
  const cheap = (exact: Sight): Sights => ({ map: { cheap: true, exact } });
  test.each<Row>([
    [
      "counts as met at its deadline",
      [MAP, NOTICE],
      { map: true },
      1160,
      ["map met", "notice pending"],
    ],
    [
      "so that its child is missing only after both",
      [MAP, NOTICE],
      { map: true },
      1161,
      ["map met", "notice missing"],
    ],
    [
      "needs no exact time before its child could be due",
      [MAP, NOTICE],
      cheap({ need: "labels" }),
      1060,
      ["map met", "notice pending"],
    ],
    [
      "needs it once its child may be overdue",
      [MAP, NOTICE],
      cheap({ need: "labels" }),
      1061,
      ["map met needs labels", 'notice unknown (the time of "map" is not loaded)'],
    ],
    [
      "and not if the child is there anyway",
      [MAP, NOTICE],
      { ...cheap({ need: "labels" }), notice: true },
      9000,
      ["map met", "notice met"],
    ],
    [
      "the exact time counts: it was late",
      [MAP, NOTICE],
      cheap(1150),
      1205,
      ["map late by 50 s", "notice pending"],
    ],
    [
      "the exact time counts: it was early",
      [MAP, NOTICE],
      cheap(1001),
      1165,
      ["map met", "notice missing"],
    ],
    [
      "the exact time counts: its child was due long before the deadlines of both",
      [MAP, NOTICE],
      cheap(1001),
      1062,
      ["map met", "notice missing"],
    ],
    [
      "the time cannot be had now",
      [MAP, NOTICE],
      cheap({ unknown: "504" }),
      1165,
      ["map met", 'notice unknown (the time of "map" is not known: 504)'],
    ],
    [
      "what it comes after must be exact too, if its own time stays unknown",
      [MAP, { ...NOTICE, name: "draft", want: "draft" }, { ...NOTICE, after: ["draft"] }],
      { ...cheap({ need: "labels" }), draft: true },
      1221,
      ["map met needs labels", "draft met", 'notice unknown (the time of "map" is not loaded)'],
    ],
    [
      "needs it before a child is cancelled, which an earlier deadline would not let it be",
      [MAP, { ...NOTICE, cancel: "veto" }],
      { ...cheap(1001), veto: 1150 },
      1161,
      ["map met", "notice missing"],
    ],
    [
      "a child that came late may not have been",
      [MAP, NOTICE],
      { ...cheap(1150), notice: 1190 },
      1300,
      ["map late by 50 s", "notice met"],
    ],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now)).toEqual(states);
  });
});

describe("guards, starts and ends", () => {
  const late = { ...MAP, from: "ready" };
  test.each<Row>([
    [
      "a guard that is not there: not expected",
      [{ ...MAP, when: "cbc" }],
      {},
      9000,
      ["map not expected"],
    ],
    [
      "a guard counts whatever its time",
      [{ ...MAP, when: "cbc" }],
      { cbc: 1500 },
      1600,
      ["map missing"],
    ],
    [
      "a guard is looked at before anything is loaded",
      [{ ...MAP, when: "cbc" }],
      { map: { need: "files" } },
      9000,
      ["map not expected"],
    ],
    [
      "a guard that says no",
      [{ ...MAP, when: { not: "burst" } }],
      { burst: true },
      9000,
      ["map not expected"],
    ],
    [
      "a guard that cannot be looked at does not matter yet",
      [{ ...MAP, when: "cbc" }],
      { cbc: { unknown: "504" } },
      1100,
      ["map waiting"],
    ],
    [
      "a guard that cannot be looked at when it matters",
      [{ ...MAP, when: "cbc" }],
      { cbc: { unknown: "504" } },
      1101,
      ["map unknown (504)"],
    ],
    ["its clock starts from something", [late], { ready: 1500 }, 1600, ["map pending"]],
    ["which has to appear first", [late], {}, 9000, ["map waiting"]],
    [
      "and must have a time",
      [late],
      { ready: true },
      9000,
      ["map unknown (the time that its clock starts from is not known)"],
    ],
    [
      "which is loaded",
      [late],
      { ready: { cheap: true, exact: { need: "labels" } } },
      1101,
      ["map unknown needs labels"],
    ],
    [
      "cancelled before its deadline",
      [{ ...MAP, cancel: "veto" }],
      { veto: 1100 },
      9000,
      ["map cancelled"],
    ],
    ["cancelled too late", [{ ...MAP, cancel: "veto" }], { veto: 1101 }, 9000, ["map missing"]],
    [
      "cancelled for certain while its deadline is to come",
      [{ ...MAP, cancel: "veto" }],
      { veto: true },
      1100,
      ["map cancelled"],
    ],
    [
      "cancelled at a time that nobody knows does not count later",
      [{ ...MAP, cancel: "veto" }],
      { veto: true },
      1101,
      ["map missing"],
    ],
    [
      "what cancels is not looked at before the deadline",
      [{ ...MAP, cancel: "veto" }],
      { veto: { need: "logs" } },
      1100,
      ["map pending"],
    ],
    [
      "unless it is bad",
      [{ ...MAP, cancel: "veto" }],
      { map: { bad: "empty" }, veto: { need: "logs" } },
      1100,
      ["map unknown needs logs"],
    ],
    [
      "an earlier start of a clock is loaded",
      [{ ...MAP, from: { any: ["ready", "begun"] } }],
      { ready: 1500, begun: { need: "logs" } },
      1550,
      ["map unknown needs logs"],
    ],
    [
      "the start of a clock without a time does not matter before a deadline",
      [late],
      { ready: true },
      1100,
      ["map waiting"],
    ],
    [
      "the time of what cancels is loaded",
      [{ ...MAP, cancel: "veto" }],
      { veto: { cheap: true, exact: { need: "labels" } } },
      1101,
      ["map unknown needs labels"],
    ],
    [
      "what was met is not cancelled",
      [{ ...MAP, cancel: "veto" }],
      { map: 1010, veto: 1005 },
      9000,
      ["map met"],
    ],
    [
      "what came late after it was cancelled is cancelled",
      [{ ...MAP, cancel: "veto" }],
      { map: 1200, veto: 1005 },
      9000,
      ["map cancelled"],
    ],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now)).toEqual(states);
  });
});

describe("terms", () => {
  const both = { ...MAP, want: { all: ["a", "b"] } };
  const either = { ...MAP, want: { any: ["a", "b"] } };
  test.each<Row>([
    ["all: the last one counts", [both], { a: 1010, b: 1130 }, 9000, ["map late by 30 s"]],
    [
      "all: one is absent, whatever the other is",
      [both],
      { a: { unknown: "504" } },
      9000,
      ["map missing"],
    ],
    ["all: one is bad", [both], { a: { bad: "empty" }, b: 1010 }, 9000, ["map bad (empty)"]],
    ["all: one has no time", [both], { a: true, b: 1130 }, 9000, ["map met"]],
    ["any: the first one counts", [either], { a: 1130, b: 1020 }, 9000, ["map met"]],
    [
      "any: one is enough, whatever the other is",
      [either],
      { a: 1020, b: { unknown: "504" } },
      9000,
      ["map met"],
    ],
    [
      "any: what is late by one is not if another may have been in time",
      [either, { ...NOTICE, within: 1000 }],
      { a: 1130, b: true },
      9000,
      ["map met", "notice missing"],
    ],
    [
      "all: nor is what such alternatives are a part of",
      [{ ...MAP, want: { all: [either.want, "c"] } }],
      { a: 1130, b: true, c: 1010 },
      9000,
      ["map met"],
    ],
    [
      "any: that one is loaded once it would decide something",
      [either, NOTICE],
      { a: 1130, b: { need: "files" } },
      1161,
      ["map met needs files", 'notice unknown (the time of "map" is not loaded)'],
    ],
    [
      "any: it is not loaded if the first is in time",
      [either, NOTICE],
      { a: 1020, b: { need: "files" } },
      9000,
      ["map met", "notice missing"],
    ],
    [
      "any: one from before its clock does not count while another may be there",
      [{ ...either, from: "ready" }, NOTICE],
      { ready: 1500, a: 1100, b: { unknown: "504" } },
      9000,
      ["map met", 'notice unknown (the time of "map" is not known: 504)'],
    ],
    [
      "any: what is bad does not matter beside a good one",
      [either],
      { a: { bad: "empty" }, b: 1020 },
      9000,
      ["map met"],
    ],
    [
      "any: none can be looked at",
      [either],
      { a: { unknown: "504" } },
      9000,
      ["map unknown (504)"],
    ],
    [
      "any: one from before its clock is of an earlier stage",
      [{ ...either, from: "ready" }],
      { ready: 1500, a: 1100, b: 1650 },
      9000,
      ["map late by 50 s"],
    ],
    [
      "any: it counts if there is no other",
      [{ ...either, from: "ready" }],
      { ready: 1500, a: 1100 },
      9000,
      ["map met"],
    ],
    [
      "not: as long as it is not there",
      [{ ...MAP, want: { not: "a" } }],
      { a: 1050 },
      9000,
      ["map missing"],
    ],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now)).toEqual(states);
  });
});

describe("a later stage that was reached makes earlier ones moot", () => {
  const STAGES = ["preliminary", "initial", "update"];
  const first = { ...MAP, stage: "preliminary" };
  const second = { ...NOTICE, stage: "initial" };
  test.each<Row>([
    [
      "what is missing of an earlier one",
      [first, second],
      { notice: 1500 },
      9000,
      ['map cancelled (the stage "initial" is reached)', "notice met"],
    ],
    [
      "what is there of an earlier one is judged",
      [first, second],
      { map: 1150, notice: 1160 },
      9000,
      ["map late by 50 s", "notice met"],
    ],
    [
      "what only waits for it, without a stage",
      [first, { ...NOTICE, name: "draft", want: "draft" }, second],
      { notice: 1500 },
      9000,
      [
        'map cancelled (the stage "initial" is reached)',
        'draft cancelled (the stage "initial" is reached)',
        "notice met",
      ],
    ],
    [
      "not what is missing of the same stage",
      [first, { ...MAP, name: "class", want: "class", stage: "initial" }, second],
      { notice: 1500 },
      9000,
      ['map cancelled (the stage "initial" is reached)', "class missing", "notice met"],
    ],
    [
      "what is bad of an earlier one",
      [first, { ...second, after: [] }],
      { map: { bad: "empty" }, notice: 1050 },
      9000,
      ['map cancelled (the stage "initial" is reached)', "notice met"],
    ],
    [
      "and needs no exact time of what that comes after",
      [
        MAP,
        { ...NOTICE, stage: "preliminary" },
        { ...first, name: "late", want: "late", stage: "initial" },
      ],
      { map: { cheap: true, exact: { need: "labels" } }, late: 1050 },
      9000,
      ["map met", 'notice cancelled (the stage "initial" is reached)', "late met"],
    ],
    [
      "whether it is there is loaded before anything is missing",
      [first, { ...second, after: [] }],
      { notice: { need: "notices" } },
      1101,
      ["map unknown needs notices", "notice unknown needs notices"],
    ],
    [
      "or bad, however early",
      [first, { ...second, after: [] }],
      { map: { bad: "empty" }, notice: { need: "notices" } },
      1010,
      ["map unknown needs notices", "notice pending"],
    ],
    [
      "and cannot be looked at",
      [first, { ...second, within: 9000 }],
      { notice: { unknown: "504" } },
      1101,
      ["map unknown (504)", "notice waiting"],
    ],
    [
      "but is not loaded if it is not expected",
      [first, { ...second, when: "ok" }],
      { notice: { need: "notices" } },
      9000,
      ["map missing", "notice not expected"],
    ],
    [
      "what comes after one that is there has its clock from that",
      [first, second, { ...NOTICE, name: "update", want: "update", after: ["notice"] }],
      { notice: 1500 },
      1561,
      ['map cancelled (the stage "initial" is reached)', "notice met", "update missing"],
    ],
    [
      "and is loaded if that is not known",
      [first, { ...NOTICE, name: "draft", want: "draft" }, second],
      { draft: { need: "files" }, notice: 1500 },
      9000,
      ['map cancelled (the stage "initial" is reached)', "draft unknown needs files", "notice met"],
    ],
    [
      "and needs the exact time of it",
      [first, second, { ...NOTICE, name: "update", want: "update", after: ["notice"] }],
      { notice: { cheap: true, exact: { need: "labels" } } },
      1561,
      [
        'map cancelled (the stage "initial" is reached)',
        "notice met needs labels",
        'update unknown (the time of "notice" is not loaded)',
      ],
    ],
    [
      "not before it is there",
      [first, second],
      { notice: 1500 },
      1400,
      ["map missing", "notice waiting"],
    ],
  ])("%s", (_, graph, sights, now, states) => {
    expect(judged(graph, sights, now, STAGES)).toEqual(states);
  });
});
