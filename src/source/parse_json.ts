import { cut } from "../text/describe.ts";
import type { JsonValue } from "../text/json.ts";
import { excerpt } from "./excerpt.ts";
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
  if (body.length === 0 || NOT_JSON.test(body.toString("latin1", 0, BEGINNING)))
    throw notJson(body.toString());
}

/** Throws BodyError for what is not JSON, and for a number that JSON.parse would change silently. */
export function parseJson(text: string): JsonValue {
  const value = parse(text);
  if (UNUSUAL_NUMBER.test(text)) checkNumbers(text);
  return value;
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(text);
  }
}

function notJson(text: string): BodyError {
  return new BodyError(`not JSON: ${excerpt(text) || "the body is empty"}`);
}

/** 16 digits or a three-digit exponent; also within strings, so that what it finds is checked again. */
const UNUSUAL_NUMBER = /(?:^|[[:,\s])-?(?:\d{16}|\d[\d.]*[eE]\+?\d{3})/;

/** In a valid JSON text. */
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.]*(?:[eE][+-]?\d+)?/g;

function checkNumbers(json: string): void {
  for (const [number] of json.matchAll(STRING_OR_NUMBER)) {
    if (number.startsWith('"')) continue;
    const shown = cut(number, NUMBER_SHOWN);
    if (!Number.isFinite(Number(number)))
      throw new BodyError(`the number ${shown} is too large to be represented`);
    if (/^-?\d+$/.test(number) && losesDigits(number))
      throw new BodyError(`the number ${shown} cannot be represented exactly`);
  }
}

/** Not if it prints as it was: then it is still the same id. */
function losesDigits(integer: string): boolean {
  const value = Number(integer);
  if (Number.isSafeInteger(value) || String(value) === integer) return false;
  return BigInt(value) !== BigInt(integer);
}
