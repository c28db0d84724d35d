import { createHash } from "node:crypto";
import { cut, quote } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue, safeJson, safeText } from "../text/json.ts";
import { type Redact, redactJson } from "../text/redact.ts";
import type { SafeDetection } from "./model.ts";

/** Keys of an event row that the engine owns; a detection's own value of that name is kept as `detection_<key>`. */
export const ENGINE_KEYS: ReadonlySet<string> = new Set([
  "entry_id",
  "fire_time",
  "clear_time",
  "clear_reason",
  "clear_held_at",
  "mail_owed",
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
/** Values in a detection's data; real ones hold some dozens. */
const MAX_VALUES = 10_000;

export type ParsedDetection =
  | { readonly ok: true; readonly detection: SafeDetection }
  | { readonly ok: false; readonly fault: string };

/**
 * What a module yielded, as a detection that can be stored: text made safe, lengths bounded, the
 * engine's keys protected. Without a usable key it is a fault, in words for the module's author.
 */
export function parseDetection(value: unknown): ParsedDetection {
  if (!isObject(value)) {
    return invalid(`yielded ${quote(value)}; a detection is { dedupeKey, subject, body?, data? }`);
  }
  const dedupeKey = read(value, "dedupeKey");
  const key = keyOf(dedupeKey);
  if (dedupeKey === undefined && read(value, "dedupe_key") !== undefined) {
    return invalid(
      "yielded a detection with dedupe_key; here it is dedupeKey, with subject, body and data",
    );
  }
  if (key === undefined) {
    return invalid(
      `yielded a detection whose dedupeKey is ${quote(dedupeKey)}; give each entity a stable text such as "task:123"`,
    );
  }
  const { subject, body, data } = readFields(value);
  if (subject !== undefined && typeof subject !== "string") {
    return invalid(
      `yielded ${quote(key)} with a subject that is ${quote(subject)}; it must be a text`,
    );
  }
  if (body !== undefined && body !== null && typeof body !== "string") {
    return invalid(`yielded ${quote(key)} with a body that is ${quote(body)}; it must be a text`);
  }
  return {
    ok: true,
    detection: {
      dedupeKey: key,
      subject: cut(safeText(subject?.trim() ? subject : key), MAX_SUBJECT),
      body: cut(safeText(body ?? ""), MAX_BODY),
      data: ownData(data),
    },
  };
}

/**
 * The dedupe key of what a module yielded, as `parseDetection` gives it; undefined where there is none.
 * It is all that the engine needs of an entity whose event is active.
 */
export function readDedupeKey(value: unknown): string | undefined {
  return isObject(value) ? keyOf(read(value, "dedupeKey")) : undefined;
}

function keyOf(value: unknown): string | undefined {
  const key = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  if (typeof key !== "string" || key.trim() === "") return undefined;
  return boundKey(safeText(key));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

type Fields = { readonly [key in "subject" | "body" | "data"]: unknown };

function readFields(value: object): Fields {
  return {
    subject: read(value, "subject"),
    body: read(value, "body"),
    data: safeJson(read(value, "data") ?? null, MAX_VALUES),
  };
}

/** A getter of a broken object may throw; that costs its own value. */
function read(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return undefined;
  }
}

/** Two keys that differ only past the limit stay two: the tail is replaced by a digest of the whole. */
function boundKey(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const digest = createHash("sha256").update(key).digest("hex");
  return `${key.slice(0, MAX_KEY - 70).toWellFormed()}…${digest}`;
}

function ownData(data: unknown): JsonObject {
  if (data === null) return {};
  if (!isJsonObject(data)) return ownData(safeJson({ detection_data: data }));
  const own: [string, JsonObject[string]][] = [];
  for (const [key, item] of Object.entries(data)) {
    own.push([ENGINE_KEYS.has(key) ? freeKey(`detection_${key}`, data) : key, item]);
  }
  return Object.fromEntries(own);
}

/** A name that the module does not use itself. */
function freeKey(key: string, data: JsonObject): string {
  return Object.hasOwn(data, key) ? freeKey(`${key}_`, data) : key;
}

function invalid(text: string): ParsedDetection {
  return { ok: false, fault: text };
}

function textsIn(value: JsonValue | undefined): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (value === undefined || !isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}

/**
 * The detection without secrets: a service may repeat the token that it was sent, and what a module
 * yields goes into rows and mails.
 */
export function redactDetection(detection: SafeDetection, redact: Redact): SafeDetection {
  const { dedupeKey, subject, body, data } = detection;
  // Almost always there is nothing to hide, and looking once at all texts as they are is cheap.
  const whole = [dedupeKey, subject, body, ...textsIn(data)].join("\n");
  if (redact(whole) === whole) return detection;
  return {
    dedupeKey: redact(dedupeKey),
    subject: redact(subject),
    body: redact(body),
    data: redactJson(data, redact),
  };
}
