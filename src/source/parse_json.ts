import { cut } from "../text/describe.ts";
import { excerpt } from "../text/excerpt.ts";
import type { JsonValue } from "../text/json.ts";
import { BodyError } from "./fetch_error.ts";

/** No JSON begins like this; a login page does. */
const NOT_JSON = /^\s*(?![[{"\d-]|true|false|null)\S/;
/** Far more leading blanks than any service sends. */
const BEGINNING = 1_024;
const NUMBER_SHOWN = 41;

/**
 * Throws BodyError for a body that is certainly not JSON. The engine checks no more than that: parsing costs
 * memory and time, which are the worker's.
 */
export function checkBeginning(body: Buffer): void {
  if (!beginsLikeJson(body)) throw notJson(body.toString());
}

export function beginsLikeJson(body: Buffer): boolean {
  return body.length > 0 && !NOT_JSON.test(body.toString("latin1", 0, BEGINNING));
}

/** 16 digits or a three-digit exponent; also within strings, so that what it finds is checked again. */
const UNUSUAL_NUMBER = /(?:^|[[:,\s])-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})/;

/**
 * In a valid JSON text: a string up to its first escape, an escape and what follows, or a number. One expression
 * for a whole string would overflow the stack at millions of escapes.
 */
const STRING_PART_OR_NUMBER = /(?:"|\\.)[^"\\]*"?|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

/**
 * An integer beyond ±(2^53 - 1), which JavaScript would round, becomes a string of its digits. Throws BodyError for
 * what is not JSON, and for a number that would become Infinity. `T` is the caller's claim.
 */
export function parseJson<T = JsonValue>(text: string): T {
  const value = parse<T>(text);
  if (!UNUSUAL_NUMBER.test(text)) return value;
  const exact = text.replace(STRING_PART_OR_NUMBER, (token) => {
    if (/^["\\]/.test(token) || Number.isSafeInteger(Number(token))) return token;
    if (!Number.isFinite(Number(token)))
      throw new BodyError(`the number ${cut(token, NUMBER_SHOWN)} is too large to be represented`);
    return /^-?\d+$/.test(token) ? `"${token}"` : token;
  });
  return parse(exact);
}

function parse<T>(text: string): T {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(text);
  }
}

function notJson(text: string): BodyError {
  return new BodyError(`not JSON: ${excerpt(text) || "the body is empty"}`);
}
