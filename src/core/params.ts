import { errorText, quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import { nearest } from "../text/nearest.ts";

/** One parameter of an alarm: what a value must be, and what it is for. */
export type ParamSpec =
  | (Described & {
      type: "number" | "integer";
      default?: number;
      min?: number;
      max?: number;
      choices?: readonly number[];
    })
  | (Described & { type: "string"; default?: string; choices?: readonly string[] })
  | (Described & { type: "boolean"; default?: boolean })
  | (Described & { type: "list"; default?: readonly string[]; choices?: readonly string[] });

interface Described {
  /** Without a value the alarm is "not configured" instead of running. */
  required?: boolean;
  /** One line for the person who sets it. */
  description: string;
}

/** A module's `PARAMS`: parameter name → spec. */
export interface ParamSpecs {
  readonly [name: string]: ParamSpec;
}

type ValueOf<S> = S extends { type: "number" | "integer" }
  ? number
  : S extends { type: "string" }
    ? string
    : S extends { type: "boolean" }
      ? boolean
      : S extends { type: "list" }
        ? readonly string[]
        : never;

type IsPresent<S> = S extends { required: true }
  ? true
  : S extends { default: unknown }
    ? true
    : false;

/** The `params` that `detect` gets: always there when required or defaulted, else maybe undefined. */
export type ParamsOf<P extends ParamSpecs> = {
  readonly [K in keyof P]: IsPresent<P[K]> extends true ? ValueOf<P[K]> : ValueOf<P[K]> | undefined;
};

export interface ResolvedParams {
  /** Values that `detect` gets: given ones, else defaults. */
  readonly params: JsonObject;
  /** Required parameters that have no value: somebody has yet to set them. */
  readonly missing: readonly string[];
  /** Values that are wrong; the alarm must not run with them. */
  readonly faults: readonly string[];
  /** Given names that the module does not know; the alarm runs, they are named. */
  readonly unknown: readonly string[];
}

/**
 * Checks the values in an alarm's row against its module's specs. A null value counts
 * as not given, and so does an empty text or list where a value is required.
 */
export function resolveParams(specs: ParamSpecs, given: JsonObject): ResolvedParams {
  const params: [string, JsonValue][] = [];
  const missing: string[] = [];
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null || (spec.required === true && isBlank(value))) {
      if (spec.default !== undefined) params.push([name, toJson(spec.default)]);
      else if (spec.required === true) missing.push(name);
      continue;
    }
    const problem = checkValue(spec, value);
    if (problem === undefined) params.push([name, value]);
    else faults.push(`parameter ${showName(name)}: ${problem}, found ${quote(value)}`);
  }
  const known = Object.keys(specs);
  const unknown = Object.keys(given)
    .filter((name) => !Object.hasOwn(specs, name))
    .map((name) => unknownParam(name, known));
  return { params: Object.fromEntries(params), missing, faults, unknown };
}

function isBlank(value: JsonValue): boolean {
  return (
    (typeof value === "string" && value.trim() === "") ||
    (Array.isArray(value) && value.length === 0)
  );
}

/** The values that a new alarm's row starts with. */
export function defaultParams(specs: ParamSpecs): JsonObject {
  return resolveParams(specs, {}).params;
}

function unknownParam(name: string, known: readonly string[]): string {
  const guess = nearest(name, known);
  const hint =
    guess === undefined
      ? `known: ${known.map(showName).join(", ") || "none"}`
      : `did you mean ${showName(guess)}?`;
  return `unknown parameter ${showName(name)} (${hint})`;
}

function toJson(value: number | string | boolean | readonly string[]): JsonValue {
  return typeof value === "object" ? [...value] : value;
}

/** What the value should have been, or undefined when it is right. */
function checkValue(spec: ParamSpec, value: unknown): string | undefined {
  switch (spec.type) {
    case "number":
    case "integer": {
      if (typeof value !== "number" || !Number.isFinite(value))
        return `must be ${article(spec.type)}`;
      if (spec.type === "integer" && !Number.isSafeInteger(value)) return "must be an integer";
      if (spec.min !== undefined && value < spec.min) return `must be at least ${spec.min}`;
      if (spec.max !== undefined && value > spec.max) return `must be at most ${spec.max}`;
      return checkChoice(spec.choices, value);
    }
    case "string":
      return typeof value === "string" ? checkChoice(spec.choices, value) : "must be a text";
    case "boolean":
      return typeof value === "boolean" ? undefined : "must be true or false";
    case "list": {
      if (!Array.isArray(value)) return "must be a list of texts";
      for (const item of value) {
        if (typeof item !== "string") return "must be a list of texts";
        const problem = checkChoice(spec.choices, item);
        if (problem !== undefined) return `each item ${problem}`;
      }
      return undefined;
    }
  }
}

function article(type: "number" | "integer"): string {
  return type === "integer" ? "an integer" : "a number";
}

function checkChoice<T>(choices: readonly T[] | undefined, value: T): string | undefined {
  if (choices === undefined || choices.includes(value)) return undefined;
  return `must be one of ${choices.map(quote).join(", ")}`;
}

/**
 * A module's exported `PARAMS`, checked: modules are plain JavaScript at run time, so their types
 * prove nothing. Faults are for the module's author.
 */
export function parseParamSpecs(value: unknown): { specs: ParamSpecs; faults: readonly string[] } {
  if (value === undefined) return { specs: {}, faults: [] };
  const specs: [string, ParamSpec][] = [];
  const faults: string[] = [];
  try {
    if (!isJsonObject(value)) {
      return { specs: {}, faults: ["PARAMS must be an object of name: { type, … }"] };
    }
    for (const [name, given] of Object.entries(value)) {
      const raw = copySpec(given);
      const problem = specProblem(raw);
      if (problem !== undefined) faults.push(`PARAMS.${showName(name)}: ${problem}`);
      else if (isParamSpec(raw)) specs.push([name, raw]);
    }
  } catch (error) {
    faults.push(`PARAMS cannot be read: ${errorText(error)}`);
  }
  return { specs: Object.fromEntries(specs), faults };
}

/** Looked at once: a getter or a proxy may say something else, or throw, the next time. */
function copySpec(given: unknown): unknown {
  if (!isJsonObject(given)) return given;
  const entries = Object.entries(given).map(([key, item]) => {
    return [key, Array.isArray(item) ? Array.from(item) : item];
  });
  return Object.fromEntries(entries);
}

const SPEC_KEYS = ["type", "required", "default", "description", "min", "max", "choices"];
const TYPES = ["number", "integer", "string", "boolean", "list"];

function specProblem(raw: unknown): string | undefined {
  if (!isJsonObject(raw)) return "must be an object { type, description, … }";
  if (typeof raw.type !== "string" || !TYPES.includes(raw.type)) {
    return `type must be one of ${TYPES.join(", ")}, found ${quote(raw.type)}`;
  }
  const stray = Object.keys(raw).find((key) => !SPEC_KEYS.includes(key));
  if (stray !== undefined) return `unknown key ${showName(stray)} (known: ${SPEC_KEYS.join(", ")})`;
  if (raw.required !== undefined && typeof raw.required !== "boolean")
    return "required must be true or false";
  if (raw.description !== undefined && typeof raw.description !== "string")
    return "description must be a text";
  for (const bound of ["min", "max"] as const) {
    if (raw[bound] !== undefined && (typeof raw[bound] !== "number" || Number.isNaN(raw[bound])))
      return `${bound} must be a number`;
  }
  if (raw.choices !== undefined) {
    if (!Array.isArray(raw.choices)) return "choices must be a list";
    const kind = raw.type === "number" || raw.type === "integer" ? "number" : "string";
    const odd = raw.choices.findIndex((choice) => typeof choice !== kind);
    if (odd >= 0)
      return `each of its choices must be a ${kind === "number" ? "number" : "text"}, found ${quote(raw.choices[odd])}`;
  }
  if (raw.default === undefined || !hasParamType(raw)) return undefined;
  const wrong = checkValue(raw, raw.default);
  return wrong === undefined ? undefined : `its default ${wrong}, found ${quote(raw.default)}`;
}

/** True when `specProblem` has found nothing: it looks at every key. */
function isParamSpec(raw: unknown): raw is ParamSpec {
  return specProblem(raw) === undefined;
}

/** Enough to judge a default: all keys but that one are already known to be right. */
function hasParamType(raw: object): raw is ParamSpec {
  return "type" in raw && typeof raw.type === "string" && TYPES.includes(raw.type);
}
