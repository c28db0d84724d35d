import { dirname } from "node:path";
import type { ModuleFile } from "../../alarm/discover.ts";
import { realPath } from "../../alarm/permissions.ts";
import { inTime } from "../../core/in_time.ts";
import type { AlarmClient } from "../../source/client/client.ts";
import { errorText, showName } from "../../text/describe.ts";
import { type JsonValue, safeJson } from "../../text/json.ts";
import { nearest, suggestion } from "../../text/nearest.ts";
import { strictJson } from "../../text/strict_json.ts";
import { ModuleGraph } from "./module_graph.ts";
import { throwPlaceOf } from "./place.ts";

/** Characters of a module's exports as JSON. */
const MAX_EXPORTS = 2 ** 20;

const NAMES = ["detect", "TITLE", "DESCRIPTION", "SOURCES", "STAGES", "PARAMS", "NETWORK", "GRAPH"];
/** A module may well export the states of something, or networks. */
const OTHERS = ["states", "state", "networks"];

/** What it returns is checked by `runDetect`. */
export type Detect = (client: AlarmClient, params: unknown) => unknown;

export interface Loaded {
  /** The exports as JSON, with the type of `detect` in its place, `misspelt` and `graphFault`; `parseModule` reads them. */
  readonly exports: JsonValue;
  readonly detect: Detect | undefined;
  /** Whether it answers for requests that it makes past the client. */
  readonly hasOwnNetwork: boolean;
  /** Why it cannot be loaded, for its author; null if it can. */
  readonly error: string | null;
  /** Its top level still waits for something, and imports after it may wait behind it. */
  readonly hangs: boolean;
}

/**
 * Loads alarm modules, also in TypeScript, on every supported Node, without a build step. Once Node 20 is dropped,
 * `module.registerHooks` and the type stripping of Node 22.18 can replace sucrase and the linking here.
 */
export class ModuleLoader {
  readonly #graph: ModuleGraph;
  /** What "swf-alarms" exports. */
  readonly #names: readonly string[];

  /** `helpers` are the exports of "swf-alarms", wherever the alarms folder is. */
  constructor(helpers: object) {
    this.#graph = new ModuleGraph(helpers);
    this.#names = Object.keys(helpers);
  }

  /** Never throws. `timeout` is in seconds: its top level may wait for anything. */
  async load(file: ModuleFile, timeout: number): Promise<Loaded> {
    const deadline = new AbortController();
    const late = new Error(`import did not finish within ${timeout} s`);
    const timer = setTimeout(() => deadline.abort(late), timeout * 1000);
    try {
      return readExports(await inTime(this.#graph.exportsOf(file), deadline.signal));
    } catch (error) {
      const first = firstLines(error);
      const text = `cannot load ${file.path}: ${first}${placeIn(file, error)}${this.#remedy(first)}`;
      const hangs = error === late;
      return { exports: null, detect: undefined, hasOwnNetwork: false, error: text, hangs };
    } finally {
      clearTimeout(timer);
    }
  }

  /** What to do about an import that is not there. */
  #remedy(fault: string): string {
    if (fault.startsWith("Cannot find package"))
      return "; install it in a node_modules folder beside the file or above it";
    const [, name] = /'swf-alarms' does not provide an export named '(.+)'$/.exec(fault) ?? [];
    if (name === undefined) return "";
    const known = `; it exports ${this.#names.join(", ")}, and types, for which write "import type"`;
    return suggestion(name, this.#names) || known;
  }
}

/** Where in the alarms folder its top level threw; the message of a syntax error has the place itself. */
function placeIn({ path }: ModuleFile, error: unknown): string {
  if (!(error instanceof Error) || error instanceof SyntaxError) return "";
  const place = throwPlaceOf(error);
  return place.includes(dirname(realPath(path))) ? place : "";
}

function readExports(found: object): Loaded {
  const known = Object.fromEntries(NAMES.map((name) => [name, Reflect.get(found, name)]));
  const { detect } = known;
  const exports = safeJson({
    ...known,
    detect: typeof detect,
    misspelt: misspelt(found),
    graphFault: graphFault(known.GRAPH),
  });
  if (JSON.stringify(exports).length > MAX_EXPORTS)
    throw new Error(
      `TITLE, DESCRIPTION, SOURCES, STAGES, PARAMS, NETWORK and GRAPH have more than ${MAX_EXPORTS} characters`,
    );
  return {
    exports,
    detect: isFunction(detect) ? detect : undefined,
    hasOwnNetwork: known.NETWORK === "own",
    error: null,
    hangs: false,
  };
}

/** The engine gets it as JSON, in which a function would be something else. */
function graphFault(graph: unknown): string | undefined {
  const json = graph === undefined ? undefined : strictJson(graph);
  return json?.ok === false ? `GRAPH must be data: ${json.error}` : undefined;
}

/** Exports that the engine would ignore, most likely against the author's intention. */
function misspelt(found: object): string | undefined {
  const hints = Object.entries(found).flatMap(([name, value]) => {
    const main = name === "default" ? (Reflect.get(Object(value), "detect") ?? value) : value;
    const isCode = isFunction(main);
    const meant = NAMES.filter((known) => !(known in found) && (known === "detect") === isCode);
    // A module may export other constants; without detect it is wrong anyway.
    const share = isCode ? 1 / 3 : 1 / 5;
    if (OTHERS.includes(name.toLowerCase())) return [];
    const guess = name === "default" && isCode ? meant[0] : nearest(name, meant, share);
    return guess === undefined ? [] : `${showName(name)} (did you mean ${guess}?)`;
  });
  return hints.length === 0 ? undefined : `it exports ${hints.join(" and ")}`;
}

function isFunction(value: unknown): value is Detect {
  return typeof value === "function";
}

/** Compilers put the place on the second line. */
function firstLines(error: unknown): string {
  const lines = errorText(error).split("\n").slice(0, 3);
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "Require stack:")
    .join(" ");
}
