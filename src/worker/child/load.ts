import { dirname } from "node:path";
import type { LoadedModule } from "../../alarm/alarm_module.ts";
import type { ModuleFile } from "../../alarm/discover.ts";
import { parseParamSpecs } from "../../core/params.ts";
import type { AlarmClient } from "../../source/client.ts";
import { inTime } from "../../source/in_time.ts";
import { errorText } from "../../text/describe.ts";
import { type Helpers, ModuleGraph } from "./module_graph.ts";
import { placeOf } from "./place.ts";
import { realPath } from "./resolve.ts";

/** What it returns is not trusted: `runDetect` looks at it. */
export type Detect = (client: AlarmClient, params: unknown) => unknown;

/** A module's words about itself, and its `detect` where all of it is right. */
export interface Loaded {
  readonly words: LoadedModule;
  readonly detect: Detect | undefined;
  /** It still waits for something, and what is loaded after it may wait behind it. */
  readonly hangs: boolean;
}

/**
 * Loads alarm modules, `.ts` too, on every supported Node, without a build step. Once Node 20 is dropped,
 * `module.registerHooks` and the type stripping of Node 22.18 can replace sucrase and the linking here.
 */
export class ModuleLoader {
  readonly #graph: ModuleGraph;

  /** `helpers` is what `import … from "swf-alarms"` gives, wherever the alarms folder lies. */
  constructor(helpers: Helpers) {
    this.#graph = new ModuleGraph(helpers);
  }

  /**
   * Never throws: a module that does not compile or lacks a part is a fault in words for its author.
   * `timeout` is in seconds: its top level may wait for anything.
   */
  async load(file: ModuleFile, timeout: number): Promise<Loaded> {
    const deadline = new AbortController();
    const late = new Error(`its import did not end within ${timeout} s`);
    const timer = setTimeout(() => deadline.abort(late), timeout * 1000);
    try {
      return checkExports(file, await inTime(this.#graph.exportsOf(file), deadline.signal));
    } catch (error) {
      return faulty(
        `cannot load ${file.path}: ${firstLines(error)}${placeIn(file, error)}`,
        error === late,
      );
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Where in the alarms folder its top level threw; what does not compile names its place itself. */
function placeIn({ path }: ModuleFile, error: unknown): string {
  if (!(error instanceof Error) || error instanceof SyntaxError) return "";
  const place = placeOf(error);
  return place.includes(dirname(realPath(path))) ? place : "";
}

function faulty(fault: string, hangs = false): Loaded {
  return { words: { ok: false, error: fault }, detect: undefined, hangs };
}

function checkExports(file: ModuleFile, exports: unknown): Loaded {
  const get = (name: string): unknown =>
    typeof exports === "object" && exports !== null ? Reflect.get(exports, name) : undefined;
  const faults: string[] = [];
  const detect = get("detect");
  if (!isFunction(detect))
    faults.push(`it must export a function detect(client, params), found ${typeof detect}`);
  const title = optionalText("TITLE", get("TITLE"), faults);
  const description = optionalText("DESCRIPTION", get("DESCRIPTION"), faults);
  const sources = get("SOURCES");
  if (sources !== undefined && !isTextList(sources))
    faults.push("SOURCES must be a list of source names");
  const { specs, faults: paramFaults } = parseParamSpecs(get("PARAMS"));
  faults.push(...paramFaults);
  if (faults.length > 0 || !isFunction(detect)) return faulty(`${file.path}: ${faults.join("; ")}`);
  const module = {
    name: file.name,
    path: file.path,
    title,
    description,
    sources: isTextList(sources) ? sources : undefined,
    params: specs,
  };
  return { words: { ok: true, module }, detect, hangs: false };
}

/** Characters of a title or a description. */
const MAX_TEXT = 100_000;

function optionalText(name: string, value: unknown, faults: string[]): string | undefined {
  if (value === undefined || (typeof value === "string" && value.length <= MAX_TEXT)) return value;
  faults.push(
    typeof value === "string"
      ? `${name} has ${value.length} characters; at most ${MAX_TEXT} are taken`
      : `${name} must be a text, found ${typeof value}`,
  );
  return undefined;
}

function isFunction(value: unknown): value is Detect {
  return typeof value === "function";
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

/** Compilers put the place on the second line. */
function firstLines(error: unknown): string {
  return errorText(error)
    .split("\n")
    .slice(0, 3)
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "Require stack:")
    .join(" ");
}
