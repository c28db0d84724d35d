import { quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";
import type { ColumnSpecs, ParamSpec, ParamSpecs } from "./param_spec.ts";

/** What a value must be, in words, and whether it is. */
export type Check = readonly [what: string, is: (value: unknown) => boolean];

const isString = (value: unknown): boolean => typeof value === "string";

export const TYPES: { readonly [type in ParamSpec["type"]]: Check } = {
  number: ["a number", Number.isFinite],
  integer: ["an integer", Number.isSafeInteger],
  string: ["a string", isString],
  boolean: ["true or false", (value) => typeof value === "boolean"],
  list: ["a list of strings", (value) => Array.isArray(value) && value.every(isString)],
  table: ["a list of objects", Array.isArray],
};

/** Faults of one table that are listed: all of its rows may have the same. */
const MAX_FAULTS = 5;

/**
 * What the specs make of the given values, with defaults. Null counts as not given, and where a value is required so
 * does an empty string or list. `missing` are the names of required values without one; other names are ignored.
 * `table` is where a row of a table is, for the faults.
 */
export function resolveValues(specs: ParamSpecs, given: JsonObject, table = "") {
  const values: [string, JsonValue][] = [];
  const missing: string[] = [];
  const faults: string[] = [];
  for (const [name, spec] of Object.entries(specs)) {
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const isGiven = own !== undefined && own !== null && !(spec.required === true && isBlank(own));
    const value = isGiven ? own : presetOf(spec);
    if (value === undefined) {
      if (spec.required === true) missing.push(name);
      continue;
    }
    const path = table === "" ? showName(name) : `${table}.${showName(name)}`;
    const fault = valueFault(spec, value);
    if (fault !== undefined) {
      const advice = table === "" ? howToWrite(spec, name) : "";
      faults.push(`${path}: ${fault}, found ${found(value)}${advice}`);
    } else if (spec.type === "table" && Array.isArray(value)) {
      const resolved = resolveRows(spec.columns, value, path);
      faults.push(...resolved.faults);
      if (resolved.faults.length === 0) values.push([name, resolved.rows]);
    } else values.push([name, value]);
  }
  const resolved: JsonObject = Object.fromEntries(values);
  return { values: resolved, missing, faults };
}

/** A copy of the default: `detect` may change what it gets. */
function presetOf({ default: preset }: ParamSpec): JsonValue | undefined {
  return preset === undefined ? undefined : JSON.parse(JSON.stringify(preset));
}

/** The rows of a table with the defaults of its columns. Rows are counted from 0. */
export function resolveRows(columns: ColumnSpecs, items: readonly JsonValue[], path: string) {
  const rows: JsonObject[] = [];
  const faults: string[] = [];
  const known = Object.keys(columns);
  for (const [index, item] of items.entries()) {
    const place = `${path}[${index}]`;
    if (!isJsonObject(item)) {
      faults.push(`${place}: must be an object { ${known.join(", ")} }, found ${quote(item)}`);
      continue;
    }
    const row = resolveValues(columns, item, place);
    const unknown = Object.keys(item).filter((name) => !Object.hasOwn(columns, name));
    faults.push(
      ...row.faults,
      ...row.missing.map((name) => `${place}.${showName(name)}: has no value`),
      ...unknown.map((name) => `${place}: unknown column ${showName(name)}${hint(name, known)}`),
    );
    rows.push(row.values);
  }
  const more = faults.length - MAX_FAULTS;
  const listed = [...faults.slice(0, MAX_FAULTS), `${path}: and ${more} more faults`];
  return { rows, faults: more > 0 ? listed : faults };
}

function isBlank(value: JsonValue): boolean {
  return typeof value === "string" ? value.trim() === "" : Array.isArray(value) && !value.length;
}

/** The value, and why it is no number although it looks like one. */
function found(value: JsonValue): string {
  const size = typeof value === "object" ? 0 : Math.abs(Number(value));
  if (size > Number.MAX_VALUE) return `${quote(value)}, which is too large`;
  const most = Number.MAX_SAFE_INTEGER;
  return quote(value) + (size > most ? `; an integer is at most ${most}` : "");
}

/** How to write what is easily written in another form. */
function howToWrite({ type }: ParamSpec, name: string): string {
  if (type === "list") return `; write --param ${showName(name)}='["a","b"]'`;
  return type === "table" ? "; write it as JSON, or use --param-file" : "";
}

/** What the value must be, or undefined when it is right. The rows of a table are not looked at. */
export function valueFault(spec: ParamSpec, value: unknown): string | undefined {
  const [what, is] = TYPES[spec.type];
  if (!is(value)) return `must be ${what}`;
  if (spec.type === "boolean" || spec.type === "table") return undefined;
  if (spec.type === "number" || spec.type === "integer") {
    if (spec.min !== undefined && Number(value) < spec.min) return `must be at least ${spec.min}`;
    if (spec.max !== undefined && Number(value) > spec.max) return `must be at most ${spec.max}`;
  }
  const choices: readonly unknown[] | undefined = spec.choices;
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (choices === undefined || items.every((item) => choices.includes(item))) return undefined;
  return `${Array.isArray(value) ? "each item " : ""}must be one of ${choices.map(quote).join(", ")}`;
}
