import type { Command } from "commander";
import { plainJson, plainText } from "../text/escape.ts";
import { redactedJson } from "../text/redact.ts";
import { rfc3339, utcSecond } from "../text/utc.ts";
import { redact } from "./secrets.ts";

export interface JsonOption {
  readonly json?: boolean;
}

export function addJsonOption(command: Command): Command {
  return command.option("--json", "print as JSON");
}

/** The version of what `--json` prints, docs/json.md; within it keys are only added. */
const JSON_VERSION = 1;

/** What a command prints as JSON, with the names of docs/json.md and times from `jsonTime`. */
export interface JsonFacts {
  readonly [key: string]: unknown;
}

/** Prints the facts as JSON if asked, else the lines, without what `shown` takes out; `more` is what a list left out. */
export function print({ json }: JsonOption, facts: JsonFacts, lines: readonly string[], more = 0) {
  const note = more > 0 ? [`… and ${more} more; --limit 0 lists all`] : [];
  if (json !== true) printLines([...lines, ...note]);
  else printJson({ version: JSON_VERSION, ...facts });
  if (json === true && more > 0) process.stderr.write(`swf-alarms: ${note}\n`);
}

/** Writes lines to stdout, without control characters and secrets. */
export function printLines(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.map(shownLine).join("\n")}\n`);
}

/** Undefined becomes null. */
function printJson(value: JsonFacts): void {
  const text = JSON.stringify(value, (_key, item: unknown) => item ?? null);
  const redacted = redactedJson(text, redact);
  process.stdout.write(`${plainJson(JSON.stringify(redacted, null, 2))}\n`);
}

/** A text that is safe to print: it may come from rows and services. */
export function shown(text: string): string {
  return plainText(redact(text));
}

/** The same on one line: a part of it cannot pass for a line of its own. */
export function shownLine(text: string): string {
  return shown(text).replaceAll("\n", " ");
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

/** A value after its label; no line if it is empty. */
export function line(label: string, value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : [`${label.padEnd(12)} ${value}`];
}

/** A time in JSON: `2026-11-21T10:05:59Z`. */
export function jsonTime(epochSeconds: number | undefined): string | null {
  return epochSeconds === undefined ? null : rfc3339(epochSeconds);
}

/** A time in a table or a log; a dash for none. */
export function renderTime(epochSeconds: number | undefined): string {
  return epochSeconds === undefined ? "-" : utcSecond(epochSeconds);
}
