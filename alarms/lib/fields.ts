import type { JsonObject } from "swf-alarms";

/** The readers return null where a field is missing or has another type. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : null;
}

export function objectOf(value: unknown): JsonObject | null {
  return isObject(value) ? value : null;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as an error message quotes it: short and on one line. */
export function quote(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (isObject(value)) return "an object";
  return show(typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value));
}

/** A value for people to read, on one line; `?` where it is missing. */
export function show(value: string | number | null): string {
  return String(value ?? "").replace(/[\p{Cc}\u2028\u2029]+/gu, " ") || "?";
}
