import { showName } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { hint, nearest } from "../text/nearest.ts";
import type { ParamSpecs } from "./param_spec.ts";
import { resolveValues } from "./param_value.ts";

/**
 * Checks the values in an alarm's row against its module's specs. Null counts as not given, and where a
 * value is required so does an empty string or list. Returns what `detect` gets, the names of required parameters
 * without a value, faults with which the alarm must not run, and faults with which it runs all the same.
 */
export function resolveParams(specs: ParamSpecs, given: JsonObject) {
  const { values, missing, faults } = resolveValues(specs, given);
  const unset = Object.keys(specs).filter((name) => !Object.hasOwn(given, name));
  const extra = Object.keys(given).filter((name) => !Object.hasOwn(specs, name));
  const isTypo = (name: string): boolean => nearest(name, unset) !== undefined;
  return {
    params: values,
    missing,
    faults: faults.map((fault) => `parameter ${fault}`),
    typos: unknownParams(extra.filter(isTypo), unset),
    unknown: unknownParams(
      extra.filter((name) => !isTypo(name)),
      Object.keys(specs),
    ),
  };
}

/** An error for each name that is not known. */
export function unknownParams(names: readonly string[], known: readonly string[]): string[] {
  const unknown = names.filter((name) => !known.includes(name));
  return unknown.map((name) => `unknown parameter ${showName(name)}${hint(name, known)}`);
}
