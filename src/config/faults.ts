import type * as v from "valibot";
import { quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import { nearest } from "../text/nearest.ts";
import { Schema, Source } from "./schema.ts";

export type Issue = v.InferIssue<typeof Schema>;

/** The keys that lead to what an issue is about, from the top of the file. */
export function keysOf(issue: Issue): readonly string[] {
  return (issue.path ?? []).map(({ key }) => String(key));
}

/** A key with those that lead to it, as faults begin. */
export function pathText(keys: readonly string[]): string {
  return keys.map(showName).join(".");
}

/** Key, what was found, what to write. */
export function describeIssue(issue: Issue): string {
  const keys = keysOf(issue);
  const path = pathText(keys);
  const isTable = issue.type === "object" || issue.type === "record";
  // The only key that a table must have.
  if (issue.input === undefined)
    return `${path}: missing; write a URL such as "https://host.example/api"`;
  if (isTable) return `${path}: found ${kindOf(issue.input)}; write a table`;
  return `${path}: found ${mayBeSecret(keys, issue.input) ? HIDDEN : quote(issue.input)}; write ${issue.message}`;
}

const HIDDEN = "a value (not shown, it may hold a secret)";

/** Logins stand in these keys, and in what people write in their place. */
function mayBeSecret(keys: readonly string[], value: unknown): boolean {
  const key = keys.at(-1) ?? "";
  if (key === "dsn" || key === "token_env" || keys.includes("headers")) return true;
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  // A table, or a list of them, may be the headers in the wrong place.
  if (typeof value !== "string" && text.includes("{")) return true;
  const isUrl = key.endsWith("base_url") || key === "endpoint";
  // A dsn may have landed in any key.
  return (isUrl && /[@?]/.test(text)) || /:\/\/.*@/s.test(text);
}

/** Lists and dates where a table belongs; the schema would take them for objects. */
export function noTables(table: unknown): readonly NoTable[] {
  if (!isJsonObject(table)) return [];
  const found: NoTable[] = [];
  const look = (parent: JsonObject, path: readonly string[]): void => {
    for (const [key, value] of Object.entries(parent)) {
      const here = [...path, key];
      if (!isTablePath(here)) continue;
      if (Array.isArray(value) || value instanceof Date)
        found.push({
          keys: here,
          fault: `${pathText(here)}: found ${kindOf(value)}; write a table`,
        });
      else if (isJsonObject(value)) look(value, here);
    }
  };
  look(table, []);
  return found;
}

export interface NoTable {
  readonly keys: readonly string[];
  readonly fault: string;
}

function isTablePath([first = "", second, third, fourth]: readonly string[]): boolean {
  if (fourth !== undefined) return false;
  if (third !== undefined) return first === "sources" && third === "headers";
  return second === undefined ? Object.hasOwn(Schema.entries, first) : first === "sources";
}

/** A text in the place of a table may be the login itself. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return typeof value === "string" ? "a text" : quote(value);
}

const TABLES: ReadonlyMap<string, readonly string[]> = new Map([
  ["engine", Object.keys(Schema.entries.engine.wrapped.entries)],
  ["db", Object.keys(Schema.entries.db.wrapped.entries)],
  ["email", Object.keys(Schema.entries.email.wrapped.entries)],
  ["retention", Object.keys(Schema.entries.retention.wrapped.entries)],
]);

/** Every key that means nothing, with the one that was probably meant. */
export function unknownKeys(table: unknown): readonly string[] {
  if (!isJsonObject(table)) return [];
  const faults = strangers(table, "", Object.keys(Schema.entries));
  for (const [name, known] of TABLES) faults.push(...strangers(table[name], `${name}.`, known));
  if (!isJsonObject(table.sources)) return faults;
  for (const [name, source] of Object.entries(table.sources)) {
    const path = pathText(["sources", name]);
    faults.push(...unusable(name, path));
    faults.push(...strangers(source, `${path}.`, Object.keys(Source.entries)));
    const headers = isJsonObject(source) ? source.headers : undefined;
    if (!isJsonObject(headers)) continue;
    for (const header of Object.keys(headers))
      faults.push(...unusable(header, `${path}.headers.${header}`));
  }
  return faults;
}

/** Names that the schema passes over without a word. */
function unusable(name: string, path: string): string[] {
  return ["__proto__", "prototype", "constructor"].includes(name)
    ? [`${path}: this name cannot be used; choose another`]
    : [];
}

function strangers(table: unknown, prefix: string, known: readonly string[]): string[] {
  if (!isJsonObject(table)) return [];
  return Object.keys(table)
    .filter((key) => !known.includes(key))
    .map((key) => {
      const guess = nearest(key, known);
      const hint =
        guess === undefined ? `known here: ${known.join(", ")}` : `did you mean ${guess}?`;
      return `${prefix}${showName(key)}: unknown key; remove it (${hint})`;
    });
}
