import { createHash } from "node:crypto";
import { attempt } from "../text/attempt.ts";
import { cut, quote, showName } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { isJsonObject, type JsonObject, type JsonValue, safeJson, safeText } from "../text/json.ts";
import { nearest, suggestion } from "../text/nearest.ts";
import type { SafeDetection } from "./model.ts";
import { recipientTokens } from "./recipients.ts";

/** Keys of an event row that the engine owns; a detection's own value of that name is kept as `detection_<key>`. */
export const ENGINE_KEYS: ReadonlySet<string> = new Set([
  "entry_id",
  "fire_time",
  "clear_time",
  "clear_reason",
  "clear_held_at",
  "severity",
  "stage",
  "mail_owed",
  "swf",
  "last_seen",
  "last_notified",
  "dedupe_key",
  "subject",
  "recipients",
  "alarm_config_id",
]);

/** What a detection may have beside its key, and a clear may not. */
const PARTS = ["subject", "body", "data", "recipients", "severity", "stage"];
const KEYS: readonly string[] = ["dedupeKey", "clear", "ifGone", ...PARTS];
const SHAPES =
  "a detection is { dedupeKey, subject?, body?, data?, recipients?, severity?, stage? }, and { dedupeKey, clear } ends an event";

export const MAX_KEY = 500;
/** Characters that are left of a longer key, before its digest. */
export const KEPT_OF_KEY = MAX_KEY - 70;
const MAX_SUBJECT = 2_000;
const MAX_BODY = 50_000;
const MAX_RECIPIENTS = 100;
/** Characters of a severity or a stage. */
export const MAX_LEVEL = 100;
/** Characters of the reason of a clear. */
export const MAX_CLEAR = 500;
/** Values in a detection's data. */
const MAX_VALUES = 10_000;

/** A clear made safe to store. */
export interface SafeClear {
  readonly dedupeKey: string;
  /** One line. */
  readonly reason: string;
  /** It says only why: see `Clear`. */
  readonly ifGone?: boolean;
}

export type ParsedDetection =
  | { readonly ok: true; readonly detection: SafeDetection }
  | { readonly ok: true; readonly clear: SafeClear }
  | { readonly ok: false; readonly error: string };

/**
 * What a module yielded, as a detection or a clear that can be stored: text made safe, lengths bounded, the
 * engine's keys renamed. The error is for the module's author.
 */
export function parseDetection(value: unknown): ParsedDetection {
  if (typeof value !== "object" || value === null)
    return invalid(`yielded ${quote(value)}; ${SHAPES}`);
  // A getter that throws costs its own value.
  const read = (key: string): unknown => attempt(() => Reflect.get(value, key), undefined);
  const missing = KEYS.filter((key) => read(key) === undefined);
  // A state is something else than a stage.
  const isTypo = (key: string) => !KEYS.includes(key) && key !== "state" && nearest(key, missing);
  const typo = attempt(() => Object.keys(value).find(isTypo), undefined);
  if (typo !== undefined)
    return invalid(
      `yielded a detection with the key ${showName(typo)}${suggestion(typo, missing)}`,
    );
  const dedupeKey = read("dedupeKey");
  const key = parseKey(dedupeKey);
  if (key === undefined) {
    return invalid(
      `yielded a detection whose dedupeKey is ${quote(dedupeKey)}; it must be a string that names the entity, such as "task:123"`,
    );
  }
  const clear = read("clear");
  if (clear !== undefined) {
    const beside = PARTS.filter((part) => (read(part) ?? undefined) !== undefined);
    return parseClear(key, clear, read("ifGone") === true, beside);
  }
  const subject = read("subject") ?? "";
  const body = read("body") ?? "";
  for (const [name, text] of Object.entries({ subject, body })) {
    if (typeof text !== "string")
      return invalid(`yielded ${quote(key)} with the ${name} ${quote(text)}; it must be a string`);
  }
  const given = read("recipients") ?? [];
  const recipients = recipientTokens(given);
  if (!isRecipients(given) || recipients.length > MAX_RECIPIENTS)
    return invalid(
      `yielded ${quote(key)} with the recipients ${quote(given)}; they must be a list of at most ${MAX_RECIPIENTS} addresses and @teams`,
    );
  const title = String(subject).trim() === "" ? key : String(subject);
  const severity = levelText(read("severity"));
  const stage = levelText(read("stage"));
  return {
    ok: true,
    detection: {
      dedupeKey: key,
      subject: cut(safeText(title), MAX_SUBJECT),
      body: cut(safeText(String(body)), MAX_BODY),
      data: renameEngineKeys(safeJson(read("data") ?? {}, MAX_VALUES)),
      recipients: recipients.map((each) => safeText(cut(each, MAX_KEY))),
      ...(severity === undefined ? {} : { severity }),
      ...(stage === undefined ? {} : { stage }),
    },
  };
}

/** `beside` names what it has that only a detection may have. */
function parseClear(
  dedupeKey: string,
  clear: unknown,
  ifGone: boolean,
  beside: readonly string[],
): ParsedDetection {
  const reason = typeof clear === "string" ? headerText(safeText(clear)) : "";
  if (reason === "")
    return invalid(
      `yielded ${quote(dedupeKey)} with the clear ${quote(clear)}; it must be a string that says why the event ends, such as "late by 120 s"`,
    );
  if (beside.length > 0)
    return invalid(
      `yielded ${quote(dedupeKey)} with clear and ${beside.join(", ")}; yield { dedupeKey, clear } alone to end the event, or leave out clear to detect it`,
    );
  const safe = { dedupeKey, reason: cut(reason, MAX_CLEAR), ...(ifGone && { ifGone }) };
  return { ok: true, clear: safe };
}

/** Whether it is a severity or a stage that exists is for the engine to judge. */
function levelText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return cut(typeof value === "string" ? safeText(value) : quote(value), MAX_LEVEL);
}

function isRecipients(value: unknown): boolean {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items.every((item) => typeof item === "string");
}

function parseKey(value: unknown): string | undefined {
  const key = typeof value === "number" && Number.isFinite(value) ? String(value) : value;
  if (typeof key !== "string" || key.trim() === "") return undefined;
  return boundKey(escapeKey(key));
}

/** What Postgres rejects, and a backslash that begins a text such as their escapes. */
const UNSTORABLE = /[\0\p{Surrogate}]|\\(?=u(?:0000|005c|d[89a-f][\da-f]{2}))/gu;

/** Different keys stay different: `unescapeKey` returns each as it was. */
export function escapeKey(key: string): string {
  return key.replace(UNSTORABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

export function unescapeKey(stored: string): string {
  return stored.replace(/\\u(?:0000|005c|d[89a-f][\da-f]{2})/g, (text) => JSON.parse(`"${text}"`));
}

/** Two keys that differ only past the limit stay two: the tail is replaced by a digest of the whole. */
export function boundKey(key: string): string {
  if (key.length <= MAX_KEY) return key;
  const digest = createHash("sha256").update(key).digest("hex");
  return `${key.slice(0, KEPT_OF_KEY).toWellFormed()}…${digest}`;
}

const RENAMED = "detection_";

/** The data of an event's row as the detection gave it: without the engine's keys, those of the same name back. */
export function detectionData(data: JsonObject): JsonObject {
  const own = Object.entries(data).filter(([key]) => !ENGINE_KEYS.has(key));
  return Object.fromEntries(
    own.map(([key, value]) => {
      const given = key.startsWith(RENAMED) ? key.slice(RENAMED.length) : key;
      return [ENGINE_KEYS.has(given) ? given : key, value];
    }),
  );
}

function renameEngineKeys(data: JsonValue): JsonObject {
  if (!isJsonObject(data)) return renameEngineKeys(safeJson({ detection_data: data }));
  const entries = Object.entries(data);
  return Object.fromEntries(
    entries.map(([key, value]) => [ENGINE_KEYS.has(key) ? RENAMED + key : key, value]),
  );
}

function invalid(error: string): ParsedDetection {
  return { ok: false, error };
}
