import { checkGraph } from "../author/expectations/check_graph.ts";
import type { Graph } from "../author/expectations/expectation.ts";
import { quote } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";

/** It is checked in the engine, along each way through it. */
const MAX_EXPECTATIONS = 1_000;
const GRAPH_KEYS = ["stages", "expectations"];
/** Those that `checkGraph` does not look at, or only if they are of the right type. */
const TEXT_KEYS = ["stage", "owner", "words"];
const TERM_KEYS = ["from", "when", "cancel"];
const KEYS = ["name", "want", "within", "after", "severity", ...TEXT_KEYS, ...TERM_KEYS];

/**
 * A module's exported `GRAPH`, checked; `stages` are its `STAGES`, undefined if these are wrong themselves. Faults are for
 * the module's author.
 */
export function parseGraph(
  value: unknown,
  stages: readonly string[] | undefined,
): { readonly graph: Graph<JsonValue> | undefined; readonly faults: readonly string[] } {
  if (value === undefined) return { graph: undefined, faults: [] };
  const faults = [...shapeFaults(value)];
  if (!hasShape(value, faults)) return { graph: undefined, faults };
  const isOther = JSON.stringify(value.stages) !== JSON.stringify(stages);
  if (value.stages !== undefined && stages !== undefined && isOther) {
    const found = stages.length === 0 ? "is not exported: export it, and" : `is ${quote(stages)};`;
    faults.push(
      `GRAPH: its stages are ${quote(value.stages)}, but STAGES ${found} write stages: STAGES`,
    );
  }
  faults.push(...checkGraph(value).map((fault) => `GRAPH: ${fault}`));
  return faults.length > 0 ? { graph: undefined, faults } : { graph: value, faults };
}

/** What would keep `checkGraph` from reading it. */
function shapeFaults(value: unknown): readonly string[] {
  if (!isJsonObject(value) || !Array.isArray(value.expectations))
    return [`GRAPH must be { stages, expectations: [ … ] }, found ${quote(value)}`];
  const count = value.expectations.length;
  if (count > MAX_EXPECTATIONS)
    return [`GRAPH has ${count} expectations; the limit is ${MAX_EXPECTATIONS}`];
  const stages = value.stages === undefined || isTextList(value.stages);
  return [
    ...unknownKeys(value, GRAPH_KEYS, "GRAPH"),
    ...(stages ? [] : [`GRAPH: stages is ${quote(value.stages)}; it must be a list of names`]),
    ...value.expectations.flatMap(expectationFaults),
  ];
}

function expectationFaults(value: unknown, index: number): readonly string[] {
  if (!isJsonObject(value))
    return [
      `GRAPH: expectation ${index + 1} is ${quote(value)}; it must be { name, want, within }`,
    ];
  const at = `GRAPH: expectation ${quote(value.name ?? index + 1)}`;
  const { after = [] } = value;
  const faults = unknownKeys(value, KEYS, at);
  if (typeof value.name !== "string")
    faults.push(`${at}: name is ${quote(value.name)}; it must be a text`);
  if (!isTextList(after))
    faults.push(`${at}: after is ${quote(after)}; it must be a list of names`);
  for (const key of TEXT_KEYS) {
    const { [key]: text = "" } = value;
    if (typeof text !== "string") faults.push(`${at}: ${key} is ${quote(text)}; it must be a text`);
  }
  if (value.want === undefined) faults.push(`${at}: want is missing; it says what must appear`);
  for (const key of ["want", ...TERM_KEYS])
    if (!isTerm(value[key]))
      faults.push(`${at}: ${key} is ${quote(value[key])}; "all" and "any" must be lists`);
  return faults;
}

function unknownKeys(value: object, known: readonly string[], at: string): string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${at}: unknown key ${key}${hint(key, known)}`);
}

function isTextList(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}

/** Anything else may be what the module looks for. */
function isTerm(value: unknown): boolean {
  if (!isJsonObject(value)) return true;
  return (
    ["all", "any"].every((key) => {
      const terms = Object.hasOwn(value, key) ? value[key] : [];
      return Array.isArray(terms) && terms.every(isTerm);
    }) && isTerm(value.not)
  );
}

function hasShape(_value: unknown, faults: readonly string[]): _value is Graph<JsonValue> {
  return faults.length === 0;
}
