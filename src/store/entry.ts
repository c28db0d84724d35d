import { type JsonObject, safeJson, safeText } from "../text/json.ts";

/** The context that all rows but teams live in. */
export const ALARMS_CONTEXT = "swf-alarms";
export const TEAMS_CONTEXT = "teams";

/** Titles are cut where the column ends; the whole subject stays in the data. */
export const TITLE_LENGTH = 255;

/** A text as a title: safe, one line, at most 255 characters as Postgres counts them. */
export function entryTitle(text: string): string {
  const line = safeText(text).replace(/\s+/gu, " ").trim();
  if (line.length <= TITLE_LENGTH) return line;
  const characters = [...line];
  return characters.length <= TITLE_LENGTH ? line : characters.slice(0, TITLE_LENGTH).join("");
}

/**
 * A structured value as a parameter: JSON text, which both drivers send alike. Made safe here too,
 * because messages of errors and of services end up in records, and one NUL would lose the record.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(safeJson(value));
}

/** The same of what is JSON already: only what Postgres refuses is written as an escape, and then replaced. */
export function plainJsonText(value: JsonObject): string {
  const text = JSON.stringify(value);
  return text.includes("\\u") ? jsonText(value) : text;
}
