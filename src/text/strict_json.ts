import { errorText, quote, showName } from "./describe.ts";

export type StrictJson =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly error: string };

/** The value as JSON text, or the place of what JSON would change or leave out: NaN, a Map, a Date, a cycle. Never throws. */
export function strictJson(value: unknown): StrictJson {
  try {
    const text = JSON.stringify(value, function (this: unknown, name: string, item: unknown) {
      // A value with a `toJSON` has been replaced by now.
      const given: unknown = Reflect.get(Object(this), name);
      const isKept = given === undefined ? !Array.isArray(this) && name !== "" : isJsonPart(given);
      if (isKept && given === item) return item;
      throw new TypeError(`${name === "" ? "it" : showName(name)} is ${quote(given)}`);
    });
    return { ok: true, text };
  } catch (error) {
    return { ok: false, error: errorText(error) };
  }
}

function isJsonPart(value: unknown): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  return Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
}
