import { quote, showName } from "../text/describe.ts";
import { isJsonObject } from "../text/json.ts";
import type { ColumnSpecs, ParamSpec, ParamSpecs } from "./param_spec.ts";
import { type Check, resolveRows, TYPES, valueFault } from "./param_value.ts";

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

const TABLE_KEYS: typeof SPEC_KEYS = {
  type: ANY,
  columns: ["an object of name: { type, … }, with one name or more", isNamed],
  required: TYPES.boolean,
  default: ANY,
  description: TYPES.string,
};

const PARAM_TYPES = Object.keys(TYPES);
const COLUMN_TYPES = PARAM_TYPES.filter((type) => type !== "table");

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
    const fault = specFault(spec, `PARAMS.${showName(name)}`, PARAM_TYPES);
    if (fault !== undefined) faults.push(fault);
    else if (hasType(spec)) specs.push([name, spec]);
  }
  return { specs: Object.fromEntries(specs), faults };
}

function specFault(spec: unknown, path: string, types: readonly string[]): string | undefined {
  if (!isJsonObject(spec)) return `${path}: must be an object { type, description, … }`;
  if (!hasType(spec) || !types.includes(spec.type))
    return `${path}: type must be one of ${types.join(", ")}, found ${quote(spec.type)}`;
  const fault = keyFault(spec) ?? choiceFault(spec) ?? defaultFault(spec);
  if (fault !== undefined) return `${path}: ${fault}`;
  if (spec.type !== "table") return undefined;
  const columns = Object.entries(spec.columns).flatMap(
    ([name, column]) => specFault(column, `${path}.columns.${showName(name)}`, COLUMN_TYPES) ?? [],
  );
  return columns[0] ?? rowsFault(spec.columns, spec.default, path);
}

function keyFault(spec: ParamSpec): string | undefined {
  const keys = spec.type === "table" ? TABLE_KEYS : SPEC_KEYS;
  if (spec.type === "table" && spec.columns === undefined)
    return `columns must be ${keys.columns?.[0]}`;
  for (const [key, value] of Object.entries(spec)) {
    const [what, is] = (Object.hasOwn(keys, key) && keys[key]) || [];
    if (is === undefined)
      return `unknown key ${showName(key)} (known: ${Object.keys(keys).join(", ")})`;
    if (value !== undefined && !is(value)) return `${key} must be ${what}`;
  }
  return undefined;
}

function choiceFault(spec: ParamSpec): string | undefined {
  const choices: readonly unknown[] = "choices" in spec && spec.choices ? spec.choices : [];
  const [what, is] = TYPES[spec.type === "integer" || spec.type === "number" ? "number" : "string"];
  const odd = choices.find((choice) => !is(choice));
  return odd === undefined ? undefined : `each choice must be ${what}, found ${quote(odd)}`;
}

function defaultFault(spec: ParamSpec): string | undefined {
  const fault = spec.default === undefined ? undefined : valueFault(spec, spec.default);
  return fault && `default ${fault}, found ${quote(spec.default)}`;
}

function rowsFault(columns: ColumnSpecs, rows: unknown, path: string): string | undefined {
  return Array.isArray(rows) ? resolveRows(columns, rows, `${path}.default`).faults[0] : undefined;
}

function isNamed(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length > 0;
}

/** All that the other checks need to know the right keys. */
function hasType(spec: unknown): spec is ParamSpec {
  return isJsonObject(spec) && typeof spec.type === "string" && Object.hasOwn(TYPES, spec.type);
}
