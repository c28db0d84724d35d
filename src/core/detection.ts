import { createHash } from "node:crypto";
import { isJsonObject, type JsonObject, safeJson, safeText } from "./json.ts";
import type { SafeDetection } from "./model.ts";

/** Keys of an event row that the engine owns; a detection's own value of that name is kept as `detection_<key>`. */
export const ENGINE_KEYS: ReadonlySet<string> = new Set([
  "entry_id",
  "fire_time",
  "clear_time",
  "clear_reason",
  "last_seen",
  "last_notified",
  "dedupe_key",
  "subject",
  "recipients",
  "alarm_config_id",
]);

const MAX_KEY = 500;
const MAX_SUBJECT = 2_000;
const MAX_BODY = 50_000;

export type ParsedDetection =
  | { readonly ok: true; readonly detection: SafeDetection }
  | { readonly ok: false; readonly fault: string };

/**
 * What a module yielded, as a detection that can be stored: text made safe, lengths bounded, the
 * engine's keys protected. Without a usable key it is a fault, in words for the module's author.
 */
export function parseDetection(value: unknown): ParsedDetection {
  if (typeof value !== "object" || value === null) {
    return fault(`yielded ${describe(value)}; a detection is { dedupeKey, subject, body?, data? }`);
  }
  const { dedupeKey, subject, body, data } = readFields(value);
  const key =
    typeof dedupeKey === "number" && Number.isFinite(dedupeKey) ? String(dedupeKey) : dedupeKey;
  if (typeof key !== "string" || key.trim() === "") {
    return fault(
      `yielded a detection whose dedupeKey is ${describe(dedupeKey)}; give each entity a stable text such as "task:123"`,
    );
  }
  if (subject !== undefined && typeof subject !== "string") {
    return fault(
      `yielded ${describe(key)} with a subject that is ${describe(subject)}; it must be a text`,
    );
  }
  if (body !== undefined && body !== null && typeof body !== "string") {
    return fault(
      `yielded ${describe(key)} with a body that is ${describe(body)}; it must be a text`,
    );
  }
  return {
    ok: true,
    detection: {
      dedupeKey: boundKey(safeText(key)),
      subject: cut(safeText(subject ?? key), MAX_SUBJECT),
      body: cut(safeText(body ?? ""), MAX_BODY),
      data: ownData(data),
    },
  };
}

type Fields = { readonly [key in "dedupeKey" | "subject" | "body" | "data"]?: unknown };

/** Getters of a broken object may throw; that costs the detection, not the run. */
function readFields(value: object): Fields {
  try {
    return {
      dedupeKey: Reflect.get(value, "dedupeKey"),
      subject: Reflect.get(value, "subject"),
      body: Reflect.get(value, "body"),
      data: safeJson(Reflect.get(value, "data")),
    };
  } catch {
    return {};
  }
}

/** Two keys that differ only past the limit stay two: the tail is replaced by a digest of the whole. */
function boundKey(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const digest = createHash("sha256").update(key).digest("hex");
  return `${key.slice(0, MAX_KEY - 70).toWellFormed()}…${digest}`;
}

function ownData(data: unknown): JsonObject {
  if (data === undefined || data === null) return {};
  if (!isJsonObject(data)) return { detection_data: safeJson(data) };
  return Object.fromEntries(
    Object.entries(data).map(([key, item]) => [
      ENGINE_KEYS.has(key) ? `detection_${key}` : key,
      item,
    ]),
  );
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}

function describe(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `${typeof value} ${String(value).slice(0, 60)}`;
}

function fault(text: string): ParsedDetection {
  return { ok: false, fault: text };
}
