import { type InferOutput, type ObjectEntries, type ObjectSchema, safeParse } from "valibot";
import { ExpectedError } from "../core/expected_error.ts";
import { quote, showName } from "../text/describe.ts";
import { isJsonObject } from "../text/json.ts";
import { hint } from "../text/nearest.ts";

/** What the work returns; its ExpectedError becomes a fault, so that all others are reported too. */
export function orFault<T>(key: string, faults: string[], work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ExpectedError)) throw error;
    faults.push(`${key}: ${error.message}`);
    return undefined;
  }
}

/**
 * One table of the file by its schema. Undefined where something in it is wrong; each fault is added to
 * `faults` with its path, what it must be and what was found. (`strictObject` reports one unknown key only.)
 */
export function parseTable<Entries extends ObjectEntries>(
  schema: ObjectSchema<Entries, string | undefined>,
  path: readonly string[],
  value: unknown,
  faults: string[],
): InferOutput<typeof schema> | undefined {
  if (!isTable(value)) {
    faults.push(tableFault(path, value));
    return undefined;
  }
  const unknown = unknownKeys(path, value, Object.keys(schema.entries));
  const result = safeParse(schema, value, { abortPipeEarly: true });
  const issues = result.issues ?? [];
  for (const { path: keys = [], input, message } of issues) {
    const key = keys.map((item) => String(item.key));
    // Valibot's own words for a key that has none.
    const words = message.startsWith("Invalid key: ") ? "missing" : message;
    faults.push(`${showPath([...path, ...key])}: ${words}${found(key[0] ?? "", input)}`);
  }
  faults.push(...unknown);
  return result.success && unknown.length === 0 ? result.output : undefined;
}

export function isTable(value: unknown): value is { readonly [key: string]: unknown } {
  return isJsonObject(value) && !(value instanceof Date);
}

export function showPath(keys: readonly string[]): string {
  return keys.map(showName).join(".");
}

/** Each key that is not known, with the one that was probably meant. */
export function unknownKeys(
  path: readonly string[],
  table: { readonly [key: string]: unknown },
  known: readonly string[],
): readonly string[] {
  return Object.keys(table)
    .filter((key) => !known.includes(key))
    .map((key) => `${showPath([...path, key])}: unknown key${hint(key, known)}`);
}

/** Names the type only: the value may be a login. */
export function tableFault(path: readonly string[], value: unknown): string {
  const isDate = value instanceof Date;
  const type = Array.isArray(value) ? "list" : isDate ? "date" : typeof value;
  return `${showPath(path)}: must be a table; found a ${type}`;
}

/** Nothing for a key that is missing. */
function found(key: string, value: unknown): string {
  if (value === undefined) return "";
  return mayBeSecret(key, value) ? "; the value is not shown" : `; found ${quote(value)}`;
}

/** A login, a token or the URL of a hook can stand in these keys; a login also in a URL, and in a table that is in the wrong place. */
function mayBeSecret(key: string, value: unknown): boolean {
  if (/^(dsn|headers|url|.*_(env|file))$/.test(key)) return true;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (typeof value !== "string" && text.includes("{")) return true;
  return (key === "from" || key === "operators" ? /:\/\/.*@/s : /[@?]/).test(text);
}
