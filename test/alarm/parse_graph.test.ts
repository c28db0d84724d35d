import { describe, expect, test } from "vitest";
import { parseModule } from "../../src/alarm/alarm_module.ts";
import { parseGraph } from "../../src/alarm/parse_graph.ts";

const MAP = { name: "map", want: "map", within: 100 };
const chain = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ...MAP,
    name: `n${at}`,
    after: at === 0 ? [] : [`n${at - 1}`],
  }));
const STAGES = ["preliminary", "initial"];

describe("a graph that a module exports is checked", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["none", undefined, []],
    ["a right one", { expectations: [MAP] }, []],
    [
      "with the stages of the module",
      { stages: STAGES, expectations: [{ ...MAP, stage: "initial" }] },
      [],
    ],
    [
      "with any JSON as what is looked for",
      { expectations: [{ ...MAP, want: { any: [{ label: "A" }, { not: { all: [1, null] } }] } }] },
      [],
    ],
    ["null", null, ["GRAPH must be { stages, expectations: [ … ] }, found null"]],
    [
      "the list alone",
      [MAP],
      [
        'GRAPH must be { stages, expectations: [ … ] }, found [{"name":"map","want":"map","within":100}]',
      ],
    ],
    ["as many as there may be, one after the other", { expectations: chain(1000) }, []],
    ["too many", { expectations: chain(1001) }, ["GRAPH has 1001 expectations; the limit is 1000"]],
    [
      "what checkGraph finds",
      { expectations: [{ ...MAP, within: -1 }] },
      ['GRAPH: expectation "map": within is -1; it must be a number of seconds, 0 or more'],
    ],
    [
      "stages of its own",
      { stages: ["draft"], expectations: [MAP] },
      [
        'GRAPH: its stages are ["draft"], but STAGES is ["preliminary","initial"]; write stages: STAGES',
      ],
    ],
    [
      "stages in another order",
      { stages: ["initial", "preliminary"], expectations: [MAP] },
      [
        'GRAPH: its stages are ["initial","preliminary"], but STAGES is ["preliminary","initial"]; write stages: STAGES',
      ],
    ],
    [
      "stages that are not a list",
      { stages: "draft", expectations: [MAP] },
      ['GRAPH: stages is "draft"; it must be a list of names'],
    ],
    [
      "keys that are misspelt",
      { expectation: [], expectations: [{ ...MAP, owners: "ana", colour: "red" }] },
      [
        "GRAPH: unknown key expectation (did you mean expectations?)",
        'GRAPH: expectation "map": unknown key owners (did you mean owner?)',
        'GRAPH: expectation "map": unknown key colour (known: name, want, within, after, severity, stage, owner, words, from, when, cancel)',
      ],
    ],
    [
      "an expectation that is not an object",
      { expectations: ["map"] },
      ['GRAPH: expectation 1 is "map"; it must be { name, want, within }'],
    ],
    [
      "neither a name nor what is wanted",
      { expectations: [MAP, { within: 1, after: ["map"] }] },
      [
        "GRAPH: expectation 2: name is undefined; it must be a text",
        "GRAPH: expectation 2: want is missing; it says what must appear",
      ],
    ],
    [
      "values of another type",
      {
        expectations: [
          { ...MAP, after: "notice", owner: 7, when: { all: "x" }, cancel: { not: { any: 1 } } },
        ],
      },
      [
        'GRAPH: expectation "map": after is "notice"; it must be a list of names',
        'GRAPH: expectation "map": owner is 7; it must be a text',
        'GRAPH: expectation "map": when is {"all":"x"}; "all" and "any" must be lists',
        'GRAPH: expectation "map": cancel is {"not":{"any":1}}; "all" and "any" must be lists',
      ],
    ],
  ])("%s", (_, value, faults) => {
    expect(parseGraph(value, STAGES)).toEqual({
      graph: faults.length > 0 ? undefined : value,
      faults,
    });
  });

  test("its faults are reported beside those of the other exports", () => {
    const graph = { stages: ["a"], expectations: [{ ...MAP, within: "5m" }] };
    const parsed = parseModule(
      { name: "x", path: "/x.ts" },
      { detect: "function", TITLE: 7, GRAPH: graph },
    );
    expect(parsed).toEqual({
      ok: false,
      error:
        '/x.ts: TITLE must be a string, found 7; GRAPH: expectation "map": within is "5m"; it must be a number of seconds, 0 or more',
    });
  });
});

test("stages of a module that exports no STAGES", () => {
  expect(parseGraph({ stages: ["draft"], expectations: [MAP] }, []).faults).toEqual([
    'GRAPH: its stages are ["draft"], but STAGES is not exported: export it, and write stages: STAGES',
  ]);
});
