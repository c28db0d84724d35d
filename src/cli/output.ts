import { plainText } from "../message/escape.ts";

/** Writes lines to stdout. Texts come from rows and services, so control characters never get through. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.map(plainText).join("\n")}\n`);
}

/** Writes a value as JSON, for other programs; control characters are escaped, those of C1 too. */
export function printJson(value: unknown): void {
  const json = JSON.stringify(value, null, 2).replace(/[\u007f-\u009f]/g, escapeCharacter);
  process.stdout.write(`${json}\n`);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
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
