import { describe, expect, test } from "vitest";
import { checkGraph } from "../../../src/author/expectations/check_graph.ts";
import type { Expectation, Graph } from "../../../src/author/expectations/expectation.ts";
import { horizon } from "../../../src/author/expectations/horizon.ts";
import { judge } from "../../../src/author/expectations/judge.ts";
import { toDot } from "../../../src/author/expectations/to_dot.ts";

const MAP: Expectation<string> = { name: "map", want: "map", within: 100 };
const NOTICE: Expectation<string> = { name: "notice", want: "notice", within: 60, after: ["map"] };

describe("a graph is checked", () => {
  test.each<[string, readonly unknown[], readonly string[]]>([
    ["a right one", [NOTICE, MAP], []],
    ["an empty one", [], []],
    [
      "an unknown parent",
      [MAP, { ...NOTICE, after: ["mapp"] }],
      ['expectation "notice": there is no "mapp" to come after (did you mean map?)'],
    ],
    [
      "no time",
      [{ name: "map", want: "map" }],
      ['expectation "map": within is undefined; it must be a number of seconds, 0 or more'],
    ],
    [
      "a time that is no number, and one below 0",
      [
        { ...MAP, within: "5m" },
        { ...NOTICE, within: -1 },
      ],
      [
        'expectation "map": within is "5m"; it must be a number of seconds, 0 or more',
        'expectation "notice": within is -1; it must be a number of seconds, 0 or more',
      ],
    ],
    ["the same name twice", [MAP, MAP], ['"map" is there twice; give each its own name']],
    [
      "a circle",
      [{ ...MAP, after: ["notice"] }, NOTICE],
      ['"map" after "notice" after "map" goes round in a circle; remove one'],
    ],
    [
      "one that comes after itself",
      [{ ...MAP, after: ["map"] }],
      ['"map" after "map" goes round in a circle; remove one'],
    ],
    [
      "no name",
      [{ ...MAP, name: "" }],
      ['expectation "": its name must be a text, which becomes a part of the dedupe key'],
    ],
    [
      "a severity that does not exist",
      [{ ...MAP, severity: "bad" }],
      ['expectation "map": severity is "bad"; it must be one of info, warning, error, critical'],
    ],
    [
      "a stage that the graph does not have",
      [{ ...MAP, stage: "initail" }],
      ['expectation "map": stage is "initail", which is not in stages (did you mean initial?)'],
    ],
  ])("%s", (_, expectations, faults) => {
    const graph = JSON.parse(JSON.stringify({ stages: ["initial"], expectations }));
    expect(checkGraph(graph)).toEqual(faults);
    if (faults.length > 0)
      expect(() => judge(graph, 0, () => false, 0)).toThrow(`the graph is wrong: ${faults[0]}`);
  });
});

test("the horizon is the last deadline along the longest way", () => {
  const draft = { ...MAP, name: "draft", within: 10, after: ["map", "notice"] };
  expect(horizon({ expectations: [] })).toBe(0);
  expect(horizon({ expectations: [MAP] })).toBe(100);
  expect(horizon({ expectations: [draft, MAP, NOTICE] })).toBe(170);
});

test("a graph is drawn in DOT, with what it says of each expectation", () => {
  const expectations: readonly Expectation<string>[] = [
    {
      ...NOTICE,
      words: 'first "notice"',
      stage: "initial",
      owner: "ana",
      when: { not: "burst" },
      cancel: { any: ["veto", "test"] },
    },
    MAP,
  ];
  const graph = { stages: ["initial"], expectations };
  expect(toDot(graph, "alerts")).toBe(
    [
      'digraph "alerts" {',
      '  graph [label="alerts", labelloc=t, rankdir=LR];',
      "  node [shape=box, style=filled, fillcolor=white];",
      '  "map" [label="map\\nwithin 100 s"];',
      '  "notice" [label="first \\"notice\\"\\nwithin 1 min\\nwhen not burst\\nunless veto or test\\nstage initial\\nowner ana"];',
      '  "map" -> "notice";',
      "}",
      "",
    ].join("\n"),
  );
  const states = new Map([["map", "missing"] as const]);
  expect(toDot(graph, "alerts", states)).toContain(
    '"map" [label="map\\nwithin 100 s\\nmissing", fillcolor=salmon];',
  );
});

test("a drawing is readable: long lines are broken, times are in whole units, starts of clocks are dashed", () => {
  const graph: Graph<string> = {
    expectations: [
      { name: "decision", want: { any: ["ADVOK", "ADVNO"] }, within: 172_800 },
      {
        name: "initial",
        want: "notice IN",
        within: 5400,
        from: "ADVOK",
        when: { all: ["category Production", "group CBC", "label SIGNIF_LOCKED"] },
      },
      { name: "update", want: "notice UP", within: 0, from: "ADVOK", after: ["decision"] },
    ],
  };
  const dot = toDot(graph, "alerts");
  expect(dot).toContain('"decision" [label="decision\\nwithin 2 d"];');
  expect(dot).toContain(
    "within 90 min\\nfrom ADVOK\\nwhen category Production and group CBC and\\n",
  );
  expect(dot).toContain('label SIGNIF_LOCKED"];');
  expect(dot.split("\n").filter((line) => line.includes("->"))).toEqual([
    '  "decision" -> "initial" [style=dashed];',
    '  "decision" -> "update";',
  ]);
});
