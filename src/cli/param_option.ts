import { InvalidArgumentError } from "commander";
import { quote } from "../text/describe.ts";
import { type JsonObject, type JsonValue, safeJson } from "../text/json.ts";

/** `name=value` pairs as params. A value is parsed as JSON, else taken as plain text. */
export function parseAssignments(texts: readonly string[]): JsonObject {
  const params = texts.map((text): [string, JsonValue] => {
    const split = text.indexOf("=");
    if (split <= 0) throw new InvalidArgumentError(`found ${quote(text)}; write name=value`);
    return [text.slice(0, split), parseValue(text.slice(split + 1))];
  });
  return Object.fromEntries(params);
}

function parseValue(text: string): JsonValue {
  try {
    return safeJson(JSON.parse(text));
  } catch {
    return text;
  }
}
