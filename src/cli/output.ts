import type { Command } from "commander";
import { plainJson, plainText } from "../text/escape.ts";
import { redactedJson } from "../text/redact.ts";
import { utcSecond } from "../text/utc.ts";
import { redact } from "./secrets.ts";

export interface JsonOption {
  readonly json?: boolean;
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print as JSON");
}

/** Prints the facts as JSON where the user asked for that, else the lines; no control characters, no secrets. */
export function print(options: JsonOption, facts: unknown, lines: readonly string[]): void {
  if (options.json === true) printJson(facts);
  else printLines(lines);
}

/** A record with the keys of rows, such as `fire_time` for `fireTime`. */
export function withRowKeys(record: object): { readonly [key: string]: unknown } {
  const rowKey = (key: string): string =>
    key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [rowKey(key), value]));
}

/** Writes lines to stdout, without control characters and secrets. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.map(shown).join("\n")}\n`);
}

/** Undefined becomes null. */
function printJson(value: unknown): void {
  const text = JSON.stringify(value, (_key, item: unknown) => item ?? null);
  const redacted = redactedJson(text, redact);
  process.stdout.write(`${plainJson(JSON.stringify(redacted, null, 2))}\n`);
}

/** A text that is safe to print: it may come from rows and services. */
export function shown(text: string): string {
  return plainText(redact(text));
}

/** Columns under their headings; `empty` where there are no rows. */
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

/** A time in a table or a log; a dash for none. */
export function renderTime(epochSeconds: number | undefined): string {
  return epochSeconds === undefined ? "-" : utcSecond(epochSeconds);
}
