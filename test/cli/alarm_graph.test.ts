import { expect, test } from "vitest";
import { makeSite, type Site } from "../support/site.ts";

const MODULE = `
import { follow } from "swf-alarms";
export const GRAPH = { expectations: [
  { name: "map", want: "map", within: 100 },
  { name: "notice", want: "notice", within: 60, after: ["map"] },
] };
const RUNS = [
  { id: "S1", began: 0, seen: { map: 10 } },
  { id: "S2", began: 0, seen: {} },
];
export async function* detect(client) {
  client.log("following");
  console.log("printed");
  client.note("two runs");
  for (const run of RUNS)
    yield* follow({
      graph: GRAPH,
      now: client.now,
      id: ({ id }) => id,
      start: ({ began }) => began,
      look: ({ seen }, want) => seen[want] ?? false,
      unknown: client.incomplete,
      note: client.note,
      seen: client.states,
    }, run);
}`;

async function siteWith(source = MODULE): Promise<Site> {
  const site = await makeSite({ database: "embedded", mail: "none" });
  site.module("runs.js", source);
  return site;
}

function dotOf(title: string, nodes: readonly string[]): string {
  return [
    `digraph "${title}" {`,
    `  graph [label="${title}", labelloc=t, rankdir=LR];`,
    "  node [shape=box, style=filled, fillcolor=white];",
    nodes[0],
    nodes[1],
    '  "map" -> "notice";',
    "}",
    "",
  ].join("\n");
}

test("alarm show prints the graph of an alarm in DOT and nothing else, with the states of an entity too", async () => {
  const site = await siteWith();
  expect(await site.command(["alarm", "show", "runs", "--graph"])).toEqual({
    code: 0,
    stderr: "",
    stdout: dotOf("runs", [
      '  "map" [label="map\\nwithin 100 s"];',
      '  "notice" [label="notice\\nwithin 1 min"];',
    ]),
  });
  expect(await site.command(["alarm", "show", "runs", "--graph", "--key", "S1"])).toEqual({
    code: 0,
    stderr: "",
    stdout: dotOf("runs: S1", [
      '  "map" [label="map\\nwithin 100 s\\nmet", fillcolor=palegreen];',
      '  "notice" [label="notice\\nwithin 1 min\\nmissing", fillcolor=salmon];',
    ]),
  });
  // The key of an event, as event list shows it, means its entity.
  const { stdout } = await site.command(["alarm", "show", "runs", "--key", "S2:map"]);
  expect(stdout).toContain('digraph "runs: S2" {');
  expect(stdout).toContain("within 1 min\\nwaiting");
  expect(await site.entries("event")).toEqual([]);
});

test("a note of a module is in the outcome, which stays complete", async () => {
  const site = await siteWith();
  const { stdout } = await site.command(["alarm", "try", "runs", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "complete", notes: ["two runs"] });
});

test("what cannot be drawn is an error that says why", async () => {
  const site = await siteWith();
  site.module("plain.js", "export const detect = () => [];");
  site.module("silent.js", MODULE.replace("seen: client.states,", ""));
  site.module(
    "thrown.js",
    MODULE.replace("async function* detect(client) {", "$& throw new Error('no');"),
  );
  site.module("called.js", MODULE.replace('want: "map"', "want: () => true"));
  const rows: readonly (readonly [readonly string[], number, string])[] = [
    [
      ["runs", "--key", "s1"],
      1,
      'detect of runs followed no entity "s1" (did you mean S1?); it followed "S1", "S2"',
    ],
    [["plain", "--graph"], 1, "plain has no graph: its module does not export GRAPH"],
    [["plain", "--key", "S1"], 1, "plain has no graph: its module does not export GRAPH"],
    [
      ["silent", "--key", "S1"],
      1,
      "it followed none; the module passes its entities on by follow({ seen: client.states, … })",
    ],
    [["thrown", "--key", "S1"], 1, "the outcome is failed: detect threw Error: no"],
    [["called", "--graph"], 1, "GRAPH must be data: expectations[0].want is a function"],
    [["none", "--graph"], 1, 'there is no alarm "none"'],
    [["engine", "--graph"], 1, "engine has no graph"],
    [["runs", "--graph", "--json"], 2, "option '--graph' cannot be used with option '--json'"],
    [["runs", "--key", "S1", "--json"], 2, "cannot be used with option '--json'"],
  ];
  for (const [args, code, says] of rows) {
    const ended = await site.command(["alarm", "show", ...args]);
    expect(ended, args.join(" ")).toMatchObject({ code, stdout: "" });
    expect(ended.stderr, args.join(" ")).toContain(says);
  }
});
