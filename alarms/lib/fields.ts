import type { JsonObject } from "swf-alarms";

/** A field as text; null where the service sent none, or something else. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** A field as a finite number; null where the service sent none, or something else. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** A field as a list of texts; null where it is anything else. */
export function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;
}

/** A field as an object; null where it is anything else. */
export function objectOf(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a reason quotes it: on one line, only the beginning of a text, never what is nested. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return show(typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value));
}

/** A value for people to read, on one line: `?` where there is none. */
export function show(value: string | number | null): string {
  return String(value ?? "").replace(/[\p{Cc}\u2028\u2029]+/gu, " ") || "?";
}
