import { attempt } from "../text/attempt.ts";
import { quote, showName } from "../text/describe.ts";

/** Bytes of what an alarm remembers, as JSON in UTF-8. */
export const MAX_MEMORY = 256 * 1024;
const MAX_DEPTH = 100;

/**
 * What a module wants to remember, as JSON. The error is for its author: what JSON would leave out or turn into something
 * else would be missing in the next tick only. Keys whose value is undefined are left out.
 */
export function memoryText(value: unknown): { readonly text: string } | { readonly error: string } {
  const fault = attempt(() => faultIn(value, "", []), "it cannot be read");
  if (fault !== undefined)
    return { error: `client.remember keeps one JSON value, and cannot keep this one: ${fault}` };
  return { text: JSON.stringify(value) };
}

/** Why a text cannot be kept; undefined if it can. */
export function memoryFault(text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MEMORY)
    return `client.remember keeps at most ${MAX_MEMORY / 1024} KiB of JSON, and the value has ${Math.ceil(bytes / 1024)} KiB; the one before stays`;
  const isJson = attempt(() => JSON.parse(text) !== undefined, false);
  return isJson ? undefined : "what client.remember was to keep is not JSON; the one before stays";
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
  const inner = [...above, value];
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = faultIn(item, `${place}[${index}]`, inner);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype)
    return `${named} an instance of ${showName(value.constructor.name)}`;
  for (const [name, item] of Object.entries(value)) {
    const fault =
      item === undefined ? undefined : faultIn(item, `${place}.${showName(name)}`, inner);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
