import { attempt } from "./attempt.ts";
import { quote, showName } from "./describe.ts";

export type StrictJson =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

const MAX_DEPTH = 100;

/**
 * The value as JSON text, or the place of what JSON would leave out or turn into something else: NaN, a Map, a Date, a
 * cycle. Keys whose value is undefined are left out. Never throws.
 */
export function strictJson(value: unknown): StrictJson {
  const error = attempt(() => faultIn(value, "", []), "it cannot be read");
  return error === undefined ? { ok: true, text: JSON.stringify(value) } : { ok: false, error };
}

/** The first part of a value that is no JSON value, with its place. */
function faultIn(value: unknown, place: string, above: readonly object[]): string | undefined {
  const named = `${place === "" ? "the value" : place.replace(/^\./, "")} is`;
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number")
    return Number.isFinite(value) ? undefined : `${named} ${quote(value)}`;
  if (typeof value !== "object") return `${named} ${quote(value)}`;
  if (above.includes(value)) return `${named} a part of itself`;
  if (above.length >= MAX_DEPTH) return `${named} more than ${MAX_DEPTH} levels deep`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== null && prototype !== Object.prototype)
    return `${named} an instance of ${showName(value.constructor.name)}`;
  const parts = Array.isArray(value)
    ? [...value.entries()].map(([index, part]) => [`[${index}]`, part] as const)
    : Object.entries(value).flatMap(([name, part]) =>
        part === undefined ? [] : [[`.${showName(name)}`, part] as const],
      );
  for (const [name, part] of parts) {
    const fault = faultIn(part, place + name, [...above, value]);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
