/** What JSON can hold; the shape of everything that crosses the wire or lies in a `data` column. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. A missing key reads as `undefined`, which is not the same as `null`. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for a JSON object, false for null, lists and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MAX_DEPTH = 32;
const TOO_LARGE = "[too large]";

/** The text with what Postgres rejects (NUL, lone surrogates) replaced by U+FFFD. */
export function safeText(text: string): string {
  return text.replaceAll("\0", "\uFFFD").toWellFormed();
}

/**
 * Any value as JSON that Postgres stores. Never throws. What JSON lacks (NaN, BigInt, functions, cycles)
 * becomes a string that names it, and so does everything after `maxValues` values.
 */
export function safeJson(value: unknown, maxValues = Number.POSITIVE_INFINITY): JsonValue {
  let left = maxValues;
  const ancestors: object[] = [];

  function convert(value: unknown): JsonValue {
    if (left <= 0) return TOO_LARGE;
    left -= 1;
    if (typeof value === "string") return safeText(value);
    if (typeof value === "boolean" || value === null) return value;
    if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
    if (value === undefined) return null;
    if (typeof value === "function") return "[function]";
    if (typeof value !== "object") return safeText(String(value));
    if (ancestors.includes(value)) return "[cycle]";
    if (ancestors.length >= MAX_DEPTH) return "[too deep]";
    ancestors.push(value);
    try {
      return convertObject(value);
    } catch {
      // An invalid date, or a getter, proxy or toString of the module that throws.
      return "[unreadable]";
    } finally {
      ancestors.pop();
    }
  }

  function convertObject(value: object): JsonValue {
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Error || value instanceof URL || value instanceof RegExp)
      return safeText(String(value));
    if (Array.isArray(value) || value instanceof Set) {
      const list: JsonValue[] = [];
      for (const item of value) {
        list.push(convert(item));
        if (left <= 0 && list.at(-1) === TOO_LARGE) break;
      }
      return list;
    }
    // Without a prototype, so that a key "__proto__" is a key like any other.
    const object: JsonObject = Object.create(null);
    for (const [key, item] of value instanceof Map ? value : Object.entries(value)) {
      if (left <= 0) {
        object["…"] = TOO_LARGE;
        break;
      }
      if (item !== undefined) object[safeText(String(key))] = convert(item);
    }
    return object;
  }

  return convert(value);
}
