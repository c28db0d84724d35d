import { quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import { hint, nearest } from "../text/nearest.ts";

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

/**
 * Checks the values in an alarm's row against its module's specs. Null counts as not given, and where a
 * value is required so does an empty string or list. Returns what `detect` gets, the names of required parameters
 * without a value, faults with which the alarm must not run, and faults with which it runs all the same.
 */
export function resolveParams(specs: ParamSpecs, given: JsonObject) {
  const params: [string, JsonValue][] = [];
  const missing: string[] = [];
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined || value === null || (spec.required === true && isBlank(value))) {
      const { default: preset } = spec;
      if (preset !== undefined)
        params.push([name, typeof preset === "object" ? [...preset] : preset]);
      else if (spec.required === true) missing.push(name);
      continue;
    }
    const fault = valueFault(spec, value);
    if (fault === undefined) params.push([name, value]);
    else faults.push(`parameter ${showName(name)}: ${fault}, found ${found(name, spec, value)}`);
  }
  const unset = Object.keys(specs).filter((name) => !Object.hasOwn(given, name));
  const extra = Object.keys(given).filter((name) => !Object.hasOwn(specs, name));
  const isTypo = (name: string): boolean => nearest(name, unset) !== undefined;
  const resolved: JsonObject = Object.fromEntries(params);
  return {
    params: resolved,
    missing,
    faults,
    typos: unknownParams(extra.filter(isTypo), unset),
    unknown: unknownParams(
      extra.filter((name) => !isTypo(name)),
      Object.keys(specs),
    ),
  };
}

/** The value, and how to write what is easily written in another form. */
function found(name: string, { type }: ParamSpec, value: JsonValue): string {
  if (type === "list") return `${quote(value)}; write --param ${showName(name)}='["a","b"]'`;
  const size = typeof value === "object" ? 0 : Math.abs(Number(value));
  if (size > Number.MAX_VALUE) return `${quote(value)}, which is too large`;
  const most = Number.MAX_SAFE_INTEGER;
  return quote(value) + (size > most ? `; an integer is at most ${most}` : "");
}

function isBlank(value: JsonValue): boolean {
  return typeof value === "string" ? value.trim() === "" : Array.isArray(value) && !value.length;
}

/** An error for each name that is not known. */
export function unknownParams(names: readonly string[], known: readonly string[]): string[] {
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.map((name) => `unknown parameter ${showName(name)}${hint(name, known)}`);
}

type Check = readonly [what: string, is: (value: unknown) => boolean];

const isString = (value: unknown): boolean => typeof value === "string";

const TYPES: { readonly [type in ParamSpec["type"]]: Check } = {
  number: ["a number", Number.isFinite],
  integer: ["an integer", Number.isSafeInteger],
  string: ["a string", isString],
  boolean: ["true or false", (value) => typeof value === "boolean"],
  list: ["a list of strings", (value) => Array.isArray(value) && value.every(isString)],
};

const ANY: Check = ["", () => true];

const SPEC_KEYS: { readonly [key: string]: Check } = {
  type: ANY,
  required: TYPES.boolean,
  default: ANY,
  description: TYPES.string,
  min: TYPES.number,
  max: TYPES.number,
  choices: ["a list", Array.isArray],
};

/** What the value must be, or undefined when it is right. */
function valueFault(spec: ParamSpec, value: unknown): string | undefined {
  const [what, is] = TYPES[spec.type];
  if (!is(value)) return `must be ${what}`;
  if (spec.type === "boolean") return undefined;
  if (spec.type === "number" || spec.type === "integer") {
    if (spec.min !== undefined && Number(value) < spec.min) return `must be at least ${spec.min}`;
    if (spec.max !== undefined && Number(value) > spec.max) return `must be at most ${spec.max}`;
  }
  const choices: readonly unknown[] | undefined = spec.choices;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (choices === undefined || items.every((item) => choices.includes(item))) return undefined;
  return `${Array.isArray(value) ? "each item " : ""}must be one of ${choices.map(quote).join(", ")}`;
}

/**
 * A module's exported `PARAMS`, checked: modules are plain JavaScript at run time, so their types
 * prove nothing. Faults are for the module's author.
 */
export function parseParamSpecs(value: unknown): { specs: ParamSpecs; faults: readonly string[] } {
  if (value === undefined) return { specs: {}, faults: [] };
  if (!isJsonObject(value))
    return { specs: {}, faults: ["PARAMS must be an object of name: { type, … }"] };
  const specs: [string, ParamSpec][] = [];
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(value)) {
    const fault = specFault(spec);
    if (fault !== undefined) faults.push(`PARAMS.${showName(name)}: ${fault}`);
    else if (hasType(spec)) specs.push([name, spec]);
  }
  return { specs: Object.fromEntries(specs), faults };
}

function specFault(spec: unknown): string | undefined {
  if (!isJsonObject(spec)) return "must be an object { type, description, … }";
  if (!hasType(spec))
    return `type must be one of ${Object.keys(TYPES).join(", ")}, found ${quote(spec.type)}`;
  for (const [key, value] of Object.entries(spec)) {
    const [what, is] = (Object.hasOwn(SPEC_KEYS, key) && SPEC_KEYS[key]) || [];
    if (is === undefined)
      return `unknown key ${showName(key)} (known: ${Object.keys(SPEC_KEYS).join(", ")})`;
    if (value !== undefined && !is(value)) return `${key} must be ${what}`;
  }
  const choices: readonly unknown[] = Array.isArray(spec.choices) ? spec.choices : [];
  const [what, is] = TYPES[spec.type === "integer" || spec.type === "number" ? "number" : "string"];
  const odd = choices.find((choice) => !is(choice));
  if (odd !== undefined) return `each choice must be ${what}, found ${quote(odd)}`;
  const fault = spec.default === undefined ? undefined : valueFault(spec, spec.default);
  return fault && `default ${fault}, found ${quote(spec.default)}`;
}

/** All that `valueFault` needs, once the other keys are checked. */
function hasType(spec: unknown): spec is ParamSpec {
  return isJsonObject(spec) && typeof spec.type === "string" && Object.hasOwn(TYPES, spec.type);
}
