import { escapeHtml } from "./escape.ts";
import { isJsonObject, type JsonValue } from "./json.ts";

/** Takes the secrets out of a text. */
export type Redact = (text: string) => string;

const REDACTED = "[redacted]";

/** A shorter value could match ordinary words. */
const SHORTEST_SECRET = 6;

/** Passwords that are words of the server's own messages. */
const WORDS = ["password", "postgres", "postgresql"];

/** A function that replaces these secrets in texts, in every form in which the engine sends them. */
export function makeRedactor(secrets: readonly string[]): Redact {
  const forms = secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET && !WORDS.includes(secret))
    .flatMap(formsOf)
    // The longest first: a secret may be a part of another.
    .sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const pattern = new RegExp([...new Set(forms)].map(escapeRegExp).join("|"), "g");
  return (text) => withoutBeginnings(text, forms).replace(pattern, REDACTED);
}

/** The mark at the end of an excerpt, which may end within a secret: a password may have blanks. */
const CUT = "…";

function withoutBeginnings(text: string, forms: readonly string[]): string {
  const [last = "", ...cut] = text.split(CUT).reverse();
  return [...cut.reverse().map((part) => withoutBeginning(part, forms)), last].join(CUT);
}

function withoutBeginning(text: string, forms: readonly string[]): string {
  const lengths = forms.map((form) => {
    for (let length = form.length - 1; length >= SHORTEST_SECRET; length--)
      if (text.endsWith(form.slice(0, length))) return length;
    return 0;
  });
  const longest = Math.max(...lengths);
  return longest === 0 ? text : text.slice(0, -longest) + REDACTED;
}

/**
 * As it is, percent-encoded for URLs, in base64 for headers, escaped in JSON, in JSON that is a string of JSON (a row has
 * what a module remembers as text), and in the HTML of mails.
 */
function formsOf(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret.toWellFormed()),
    inJson(secret),
    inJson(inJson(secret)),
    escapeHtml(secret),
    ...base64Of(secret),
  ];
}

/**
 * The base64 of a secret, also inside a longer text such as `user:password`: the characters that depend on
 * the secret alone, for each of the three positions at which it may begin.
 */
function base64Of(secret: string): readonly string[] {
  return [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const first = Math.ceil((offset * 8) / 6);
    return bytes.toString("base64").slice(first, Math.floor((bytes.length * 8) / 6));
  });
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

/** The value of a JSON text, with the secrets taken out of its strings and keys. */
export function redactedJson(text: string, redact: Redact): JsonValue {
  return JSON.parse(text, (_key, value: JsonValue) => {
    if (typeof value === "string") return redact(value);
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), item]));
  });
}
