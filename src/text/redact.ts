import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";

/** Takes the secrets out of a text. */
export type Redact = (text: string) => string;

const HIDDEN = "[redacted]";

/** Shorter values are no secrets, and would black out ordinary words. */
const SHORTEST_SECRET = 6;

/** Words of the server's own messages: as a password they hide nothing, and without them nobody could read why. */
const WORDS = ["password", "postgres", "postgresql"];

/** What is a secret by its form, whoever wrote it: the part to keep before it is the first group. */
const FORMS: readonly RegExp[] = [
  // Up to the last @: a password that was not percent-encoded may hold one.
  /(\bpostgres(?:ql)?:\/\/[^\s:@/"'<>\\]*:)[^\s"'<>\\]*(?=@)/gi,
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:@/"'<>\\]*:)[^\s/@"'<>\\]+(?=@)/gi,
  /(\b(?:password|passwd|pwd)=)[^\s&;,"'<>\\]+/gi,
  /(\bauthorization["'\\]*\s*[:=]\s*["'\\]*(?:basic|bearer|digest|negotiate|token)\s+)[^\s"',;<>\\]+/gi,
  /(\bbearer\s+)[\w.~+/=-]{8,}/gi,
  /()\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b/g,
];

/** What each of them needs: most texts hold none of it, and are looked at once. */
const TRACES = /:\/\/|=|authorization|bearer|AKIA|ASIA/i;

/**
 * A function that takes these secrets out of texts, also where they are percent-encoded, in base64 or
 * escaped for JSON or HTML, and whatever has the form of a login: `scheme://user:password@`, bearer tokens, AWS keys.
 */
export function makeRedactor(secrets: readonly string[]): Redact {
  const known = secrets.filter(
    (secret) => secret.length >= SHORTEST_SECRET && !WORDS.includes(secret),
  );
  const spellings = [...new Set(known.flatMap(spellingsOf))]
    .filter((text) => text.length >= SHORTEST_SECRET)
    // The longest first: a secret may be a part of another.
    .sort((a, b) => b.length - a.length);
  const exact =
    spellings.length === 0 ? undefined : new RegExp(spellings.map(escapeRegExp).join("|"), "g");
  return (text) => {
    const rest = exact === undefined ? text : hideBeginnings(text.replace(exact, HIDDEN), known);
    if (!TRACES.test(rest)) return rest;
    return FORMS.reduce((left, form) => left.replace(form, `$1${HIDDEN}`), rest);
  };
}

/** A text that was cut in the middle of a secret ends with its beginning. */
function hideBeginnings(text: string, secrets: readonly string[]): string {
  if (!text.includes("…")) return text;
  const parts = text.split("…");
  const last = parts.pop() ?? "";
  return [...parts.map((part) => hideEnd(part, secrets)), last].join("…");
}

function hideEnd(text: string, secrets: readonly string[]): string {
  for (const secret of secrets) {
    for (let length = secret.length - 1; length >= SHORTEST_SECRET; length--) {
      if (text.endsWith(secret.slice(0, length))) return text.slice(0, -length) + HIDDEN;
    }
  }
  return text;
}

/** How a secret may be written where a program has passed it on. */
function spellingsOf(secret: string): readonly string[] {
  const plain = [...new Set([secret, decoded(secret)])];
  return plain.flatMap((text) => [
    text,
    encodeURIComponent(text.toWellFormed()),
    encodeURI(text.toWellFormed()),
    new URLSearchParams([["", text]]).toString().slice(1),
    JSON.stringify(text).slice(1, -1),
    htmlEscaped(text),
    ...base64Of(text),
  ]);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As the HTML of a mail has it; quotes are escaped in more than one way, and end the match. */
function htmlEscaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/**
 * What a secret looks like in base64, also in the middle of a longer text such as `user:password`: the
 * characters that depend on it alone, for each of the three places where it may begin.
 */
function base64Of(secret: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret, "utf8")]);
    const first = Math.ceil((offset * 8) / 6);
    const whole = Math.floor((bytes.length * 8) / 6);
    const core = bytes.toString("base64").slice(first, whole);
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** The value with the secrets taken out of every text in it, keys too. */
export function redactJson(value: JsonObject, redact: Redact): JsonObject;
export function redactJson(value: JsonValue, redact: Redact): JsonValue;
export function redactJson(value: JsonValue, redact: Redact): JsonValue {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactJson(item, redact));
  if (!isJsonObject(value)) return value;
  const result: JsonObject = Object.create(null);
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) result[redact(key)] = redactJson(item, redact);
  }
  return result;
}
