import { InvalidArgumentError } from "commander";
import { quote } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue, safeJson } from "../text/json.ts";

/** `name=value` pairs as params. A value is JSON where it reads as JSON, else the text as it stands. */
export function parseAssignments(texts: readonly string[]): JsonObject {
  const params: [string, JsonValue][] = [];
  for (const text of texts) {
    const split = text.indexOf("=");
    if (split <= 0) throw new InvalidArgumentError(`found ${quote(text)}; write name=value`);
    params.push([text.slice(0, split), parseValue(text.slice(split + 1))]);
  }
  return Object.fromEntries(params);
}

function parseValue(text: string): JsonValue {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) || typeof value !== "string" ? safeJson(value) : value;
  } catch {
    return text;
  }
}
