import { plainJson, plainText } from "../text/escape.ts";
import { redactedJson } from "./redacted.ts";
import { redact } from "./secrets.ts";

/** Writes lines to stdout. Texts come from rows and services: neither control characters nor secrets get through. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.map(shown).join("\n")}\n`);
}

/** Writes a value as JSON, for other programs; control characters are escaped, secrets taken out. */
export function printJson(value: unknown): void {
  const redacted = redactedJson(JSON.stringify(value), redact);
  process.stdout.write(`${plainJson(JSON.stringify(redacted, null, 2))}\n`);
}

/** A text as a terminal may get it. */
export function shown(text: string): string {
  return plainText(redact(text));
}

/** Columns under their headings, each as wide as it needs; nothing under them says so. */
export function renderTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  empty: string,
): string[] {
  if (rows.length === 0) return [empty];
  const cells = [headings, ...rows].map((row) => row.map((cell) => cell.replace(/\s+/gu, " ")));
  const widths = headings.map((_, column) =>
    Math.max(...cells.map((row) => [...(row[column] ?? "")].length)),
  );
  return cells.map((row) =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
      .join("  ")
      .trimEnd(),
  );
}

/** `2026-11-21 03:45:00`, UTC; a dash for no time. */
export function renderTime(epochSeconds: number | undefined): string {
  if (epochSeconds === undefined) return "-";
  const date = new Date(epochSeconds * 1000);
  return Number.isNaN(date.getTime())
    ? "-"
    : date
        .toISOString()
        .replace(/\.\d+Z$/, "")
        .replace("T", " ");
}
