import { plainJson } from "./escape.ts";
import { safeJson } from "./json.ts";

const QUOTED = 80;
const MESSAGE = 1_000;

/** A value as a message quotes it: as JSON, cut where it is long. Never throws. */
export function quote(value: unknown): string {
  if (value === undefined || typeof value === "number") return String(value);
  if (typeof value === "bigint") return cut(`${value}n`, QUOTED);
  if (typeof value === "function") return "a function";
  const short = typeof value === "string" ? cut(value, QUOTED * 2) : safeJson(value, QUOTED);
  return cut(plainJson(JSON.stringify(short)), QUOTED);
}

/** A name as a message shows it: quoted unless it is a plain word. */
export function showName(name: string): string {
  return /^[\w.-]+$/.test(name) ? cut(name, QUOTED) : quote(name);
}

/** The message of anything that was thrown, at most 1,000 characters. Never throws. */
export function errorText(error: unknown): string {
  try {
    if (error instanceof Error) return cut(String(error.message) || error.name, MESSAGE);
    return typeof error === "string" ? cut(error, MESSAGE) : quote(error);
  } catch {
    return "an error without a message";
  }
}

/** The text, or its beginning where it is longer than `length`; never half a character. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const start = text.slice(0, length - 1).toWellFormed();
  return `${start.replace(/\uFFFD$/, "")}…`;
}
