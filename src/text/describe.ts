import { safeJson } from "./json.ts";

const QUOTED = 80;
const MESSAGE = 1_000;

/** A value as a message quotes it: as JSON, and only its beginning where it is long. Never throws. */
export function quote(value: unknown): string {
  if (value === undefined || typeof value === "number") return String(value);
  if (typeof value === "bigint") return cut(`${value}n`, QUOTED);
  if (typeof value === "function") return "a function";
  const json = JSON.stringify(
    typeof value === "string" ? cut(value, QUOTED * 2) : safeJson(value, QUOTED),
  );
  return cut(json.replace(/[\u007f-\u009f\u2028\u2029]/g, escapeCharacter), QUOTED);
}

/** JSON may hold these as they are; a terminal obeys some of them, and others start a new line. */
function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A name that somebody typed, as a message shows it: as it is where it is a plain one, else quoted. */
export function showName(name: string): string {
  return /^[\w.-]+$/.test(name) ? cut(name, QUOTED) : quote(name);
}

/** The words of anything that was thrown, bounded. Never throws: what modules throw may be anything. */
export function errorText(error: unknown): string {
  return cut(wordsOf(error), MESSAGE);
}

function wordsOf(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message) || error.name;
    return typeof error === "string" ? error : quote(error);
  } catch {
    return "an error that has no text";
  }
}

/** The text, or its beginning where it is longer than `length`; never half a character. */
export function cut(text: string, length: number): string {
  return text.length <= length
    ? text
    : `${text
        .slice(0, length - 1)
        .toWellFormed()
        .replace(/\uFFFD$/, "")}…`;
}
