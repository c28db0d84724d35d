import type { Expectation, Graph, State, Term } from "./expectation.ts";
import { inOrder } from "./in_order.ts";
import { termText } from "./term.ts";

const COLOURS: { readonly [state in State]: string } = {
  met: "palegreen",
  late: "khaki",
  missing: "salmon",
  bad: "orange",
  pending: "lightblue",
  waiting: "white",
  cancelled: "lightgrey",
  "not expected": "lightgrey",
  unknown: "plum",
};

/** Longest line of a box, in characters. */
const WIDTH = 44;

/**
 * The graph in the DOT language of Graphviz: an arrow to each expectation from what it comes after, and a dashed one from what
 * brings the start of its clock; with `states`, by name, each in the colour of its state and with its word.
 */
export function toDot<W>(
  graph: Graph<W>,
  title: string,
  states: ReadonlyMap<string, State> = new Map(),
): string {
  const ordered = inOrder(graph);
  const nodes = ordered.flatMap((each) => [
    node(each, states.get(each.name)),
    ...(each.after ?? []).map((parent) => `  ${text(parent)} -> ${text(each.name)};`),
    ...startersOf(each, ordered).map(
      (starter) => `  ${text(starter)} -> ${text(each.name)} [style=dashed];`,
    ),
  ]);
  return [
    `digraph ${text(title)} {`,
    `  graph [label=${text(title)}, labelloc=t, rankdir=LR];`,
    "  node [shape=box, style=filled, fillcolor=white];",
    ...nodes,
    "}",
    "",
  ].join("\n");
}

/** The names of those that want what the clock of an expectation starts from. */
function startersOf<W>(
  { name, from, after = [] }: Expectation<W>,
  others: readonly Expectation<W>[],
): readonly string[] {
  if (from === undefined) return [];
  const starts = wantsIn(from);
  return others
    .filter((other) => other.name !== name && !after.includes(other.name))
    .filter(({ want }) => [...wantsIn(want)].some((each) => starts.has(each)))
    .map((other) => other.name);
}

function wantsIn<W>(term: Term<W>): ReadonlySet<string> {
  const wants = new Set<string>();
  termText(term, (want) => {
    wants.add(show(want));
    return "";
  });
  return wants;
}

function node<W>(expectation: Expectation<W>, state: State | undefined): string {
  const { name, words = name, within, from, when, cancel, owner, stage } = expectation;
  const lines = [
    words,
    `within ${wholeUnits(within)}`,
    ...(from === undefined ? [] : [`from ${inWords(from)}`]),
    ...(when === undefined ? [] : [`when ${inWords(when)}`]),
    ...(cancel === undefined ? [] : [`unless ${inWords(cancel)}`]),
    ...(stage === undefined ? [] : [`stage ${stage}`]),
    ...(owner === undefined ? [] : [`owner ${owner}`]),
    ...(state === undefined ? [] : [state]),
  ];
  const colour = state === undefined ? "" : `, fillcolor=${COLOURS[state]}`;
  return `  ${text(name)} [label=${text(lines.map(wrapped).join("\n"))}${colour}];`;
}

/** In the largest unit that it is a whole number of. */
function wholeUnits(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds % 86_400 === 0) return `${seconds / 86_400} d`;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

function wrapped(line: string): string {
  return line.replace(new RegExp(`(.{1,${WIDTH}})( |$)`, "gs"), "$1\n").trimEnd();
}

function inWords<W>(term: Term<W>): string {
  return termText(term, show).replace(/^\((.*)\)$/s, "$1");
}

function show<W>(want: W): string {
  return typeof want === "string" ? want : JSON.stringify(want);
}

/** A quoted text of DOT, in which a line break is `\n` and only quotes and backslashes are escaped. */
function text(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
