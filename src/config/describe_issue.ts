import * as v from "valibot";
import { nearest } from "../core/nearest.ts";
import { Schema, Source } from "./schema.ts";

export type Issue = v.InferIssue<typeof Schema>;

/** Key, what was found, what to write. Values of keys that may hold a secret are never quoted. */
export function describeIssue(issue: Issue): string {
  const path = v.getDotPath(issue) ?? "";
  const key = path.split(".").at(-1) ?? "";
  if (issue.type === "strict_object" && issue.expected === "never") return unknownKey(path, key);
  const found =
    ["dsn", "token_env"].includes(key) || path.includes(".headers.")
      ? "a value (not shown, it may hold a secret)"
      : quote(issue.input);
  if (issue.input === undefined) return `${path}: missing; write ${issue.message}`;
  const wanted =
    issue.type === "strict_object" || issue.type === "record" ? "a table" : issue.message;
  return `${path}: found ${found}; write ${wanted}`;
}

const KNOWN: { readonly [table: string]: readonly string[] } = {
  "": Object.keys(Schema.entries),
  engine: Object.keys(Schema.entries.engine.wrapped.entries),
  db: Object.keys(Schema.entries.db.wrapped.entries),
  email: Object.keys(Schema.entries.email.wrapped.entries),
  sources: Object.keys(Source.entries),
};

function unknownKey(path: string, key: string): string {
  const known = KNOWN[path === key ? "" : (path.split(".")[0] ?? "")] ?? [];
  const guess = nearest(key, known);
  const hint = guess === undefined ? `known here: ${known.join(", ")}` : `did you mean ${guess}?`;
  return `${path}: unknown key; remove it (${hint})`;
}

function quote(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 80)}…` : json;
}
