import { attempt } from "../text/attempt.ts";
import { type StrictJson, strictJson } from "../text/strict_json.ts";

/** Bytes of what an alarm remembers, as JSON in UTF-8. */
export const MAX_MEMORY = 256 * 1024;

/** What a module wants to remember, as JSON. The error is for its author. */
export function memoryText(value: unknown): StrictJson {
  const json = strictJson(value);
  if (json.ok) return json;
  const error = `client.remember keeps one JSON value, and cannot keep this one: ${json.error}`;
  return { ok: false, error };
}

/** Why a text cannot be kept; undefined if it can. */
export function memoryFault(text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_MEMORY)
    return `client.remember keeps at most ${MAX_MEMORY / 1024} KiB of JSON, and the value has ${Math.ceil(bytes / 1024)} KiB; the one before stays`;
  const isJson = attempt(() => JSON.parse(text) !== undefined, false);
  return isJson ? undefined : "what client.remember was to keep is not JSON; the one before stays";
}
