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

/**
 * The graph in the DOT language of Graphviz: an arrow to each expectation from what it comes after, with its deadline; with
 * `states`, by name, each in the colour of its state and with its word.
 */
export function toDot<W>(
  graph: Graph<W>,
  title: string,
  states: ReadonlyMap<string, State> = new Map(),
): string {
  const nodes = inOrder(graph).flatMap((each) => [
    node(each, states.get(each.name)),
    ...(each.after ?? []).map((parent) => `  ${text(parent)} -> ${text(each.name)};`),
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

function node<W>(expectation: Expectation<W>, state: State | undefined): string {
  const { name, words = name, within, from, when, cancel, owner, stage } = expectation;
  const lines = [
    words,
    `within ${within} s`,
    ...(from === undefined ? [] : [`from ${inWords(from)}`]),
    ...(when === undefined ? [] : [`when ${inWords(when)}`]),
    ...(cancel === undefined ? [] : [`unless ${inWords(cancel)}`]),
    ...(stage === undefined ? [] : [`stage ${stage}`]),
    ...(owner === undefined ? [] : [`owner ${owner}`]),
    ...(state === undefined ? [] : [state]),
  ];
  const colour = state === undefined ? "" : `, fillcolor=${COLOURS[state]}`;
  return `  ${text(name)} [label=${text(lines.join("\n"))}${colour}];`;
}

function inWords<W>(term: Term<W>): string {
  const words = termText(term, (want) => (typeof want === "string" ? want : JSON.stringify(want)));
  return words.replace(/^\((.*)\)$/s, "$1");
}

/** A quoted text of DOT, in which a line break is `\n` and only quotes and backslashes are escaped. */
function text(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
