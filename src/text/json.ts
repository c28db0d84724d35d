/** What JSON can hold; the shape of everything that crosses the wire or lies in a `data` column. */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. A key that is not there reads as `undefined`, which is not the same as `null`. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for a JSON object, false for null, lists and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const MAX_DEPTH = 32;
const REPLACEMENT = "\uFFFD";

/** The text with what Postgres refuses (NUL, lone surrogates) replaced by U+FFFD. */
export function safeText(text: string): string {
  return text.replaceAll("\0", REPLACEMENT).toWellFormed();
}

/**
 * Any value as JSON that Postgres stores. Nothing throws and nothing is dropped in silence: what JSON
 * cannot say (NaN, BigInt, functions, cycles) becomes a text that says what it was, and so does what
 * comes after `maxValues` values.
 */
export function safeJson(value: unknown, maxValues = Number.POSITIVE_INFINITY): JsonValue {
  return convert(value, [], { left: maxValues });
}

/** How many more values fit: shared parts count each time, as JSON writes them each time. */
interface Room {
  left: number;
}

function convert(value: unknown, ancestors: readonly object[], room: Room): JsonValue {
  if (room.left <= 0) return TOO_LARGE;
  room.left -= 1;
  switch (typeof value) {
    case "string":
      return safeText(value);
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
      return value.toString();
    case "undefined":
      return null;
    case "function":
      return "[function]";
    case "symbol":
      return safeText(String(value));
    case "object":
      return value === null ? null : convertObject(value, ancestors, room);
  }
}

const TOO_LARGE = "[too large]";

function convertObject(value: object, ancestors: readonly object[], room: Room): JsonValue {
  if (ancestors.includes(value)) return "[cycle]";
  if (ancestors.length >= MAX_DEPTH) return "[too deep]";
  try {
    return convertReadable(value, [...ancestors, value], room);
  } catch {
    // A revoked proxy and the like: what it was can no longer be asked.
    return UNREADABLE;
  }
}

const UNREADABLE = "[unreadable]";

function convertReadable(value: object, inside: readonly object[], room: Room): JsonValue {
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString();
  }
  if (value instanceof Error || value instanceof URL || value instanceof RegExp) {
    return safeText(String(value));
  }
  if (Array.isArray(value) || value instanceof Set) return convertList(value, inside, room);
  const entries =
    value instanceof Map ? [...value] : Object.keys(value).map((key) => [key, read(value, key)]);
  const object: JsonObject = Object.create(null);
  for (const [key, item] of entries) {
    if (room.left <= 0) {
      object["…"] = TOO_LARGE;
      break;
    }
    if (item !== undefined) object[keyText(key)] = convert(item, inside, room);
  }
  return object;
}

/** What does not fit is told once, not once for each item. */
function convertList(items: Iterable<unknown>, inside: readonly object[], room: Room): JsonValue[] {
  const list: JsonValue[] = [];
  for (const item of items) {
    list.push(convert(item, inside, room));
    if (list.at(-1) === TOO_LARGE && room.left <= 0) break;
  }
  return list;
}

/** A getter that throws costs its own value. */
function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return UNREADABLE;
  }
}

function keyText(key: unknown): string {
  const text =
    typeof key === "object" && key !== null ? JSON.stringify(safeJson(key)) : String(key);
  return safeText(text);
}
