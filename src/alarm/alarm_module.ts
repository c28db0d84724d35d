import {
  array,
  custom,
  literal,
  never,
  object,
  optional,
  safeParse,
  string,
  unknown,
} from "valibot";
import type { Graph } from "../author/expectations/expectation.ts";
import { MAX_LEVEL } from "../core/detection.ts";
import type { ParamSpecs } from "../core/param_spec.ts";
import { parseParamSpecs } from "../core/parse_param_specs.ts";
import { quote } from "../text/describe.ts";
import { isJsonObject, type JsonValue } from "../text/json.ts";
import type { ModuleFile } from "./discover.ts";
import { parseGraph } from "./parse_graph.ts";

/** What an alarm module exports, except `detect`, which stays in the worker. */
export interface AlarmModule extends ModuleFile {
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** Sources that it needs; undefined stands for the main service. */
  readonly sources: readonly string[] | undefined;
  readonly params: ParamSpecs;
  /** How far a detection can come, in this order. */
  readonly stages: readonly string[];
  /** What it expects to appear; undefined if it does not follow a graph. */
  readonly graph: Graph<JsonValue> | undefined;
}

export type LoadedModule =
  | { readonly ok: true; readonly module: AlarmModule }
  /** The error is for the module's author. */
  | { readonly ok: false; readonly error: string };

const text = (name: string) =>
  optional(string(({ received }) => `${name} must be a string, found ${received}`));
const names = "SOURCES must be a list of source names";
const MAX_STAGES = 50;

const Stages = custom<readonly string[]>(
  isStages,
  ({ input }) =>
    `STAGES must be a list of 1 to ${MAX_STAGES} different names, each of 1 to ${MAX_LEVEL} characters, found ${quote(input)}`,
);

function isStages(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_STAGES) return false;
  const isName = (each: unknown): boolean =>
    typeof each === "string" && each.trim() !== "" && each.length <= MAX_LEVEL;
  return value.every(isName) && new Set(value).size === value.length;
}

const Exports = object({
  detect: literal(
    "function",
    ({ input }) => `it must export a function detect(client, params), found ${input}`,
  ),
  TITLE: text("TITLE"),
  DESCRIPTION: text("DESCRIPTION"),
  SOURCES: optional(array(string(names), names)),
  STAGES: optional(Stages),
  PARAMS: optional(unknown()),
  /** It makes requests of its own; only its process needs to know. */
  NETWORK: optional(
    literal(
      "own",
      ({ input }) =>
        `NETWORK must be "own" (the module answers for requests that it makes without the client), or be left out, found ${quote(input)}`,
    ),
  ),
  GRAPH: optional(unknown()),
  misspelt: optional(never(({ input }) => String(input))),
  graphFault: optional(never(({ input }) => String(input))),
});

/** Checks a module's exports as JSON, with the type of `detect` in its place. Reports all errors at once. */
export function parseModule(file: ModuleFile, exports: unknown): LoadedModule {
  const result = safeParse(Exports, exports);
  const { PARAMS, GRAPH } = isJsonObject(exports) ? exports : {};
  const { specs, faults } = parseParamSpecs(PARAMS);
  const { graph, faults: graphFaults } = parseGraph(
    GRAPH,
    result.success ? (result.output.STAGES ?? []) : undefined,
  );
  const errors = [
    ...(result.issues ?? []).map(({ message }) => message),
    ...faults,
    ...graphFaults,
  ];
  if (!result.success || errors.length > 0)
    return { ok: false, error: `${file.path}: ${[...new Set(errors)].join("; ")}` };
  const {
    TITLE: title,
    DESCRIPTION: description,
    SOURCES: sources,
    STAGES: stages = [],
  } = result.output;
  const module = { ...file, title, description, sources, params: specs, stages, graph };
  return { ok: true, module };
}
