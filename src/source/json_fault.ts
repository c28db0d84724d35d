/** Far beyond what a service nests; what is nested a million times breaks whatever walks through it. */
const MAX_DEPTH = 200;
/** Names of one object: millions of them would take seconds to compare, while nothing else is done. */
const MAX_NAMES = 100_000;

/** Why an answer is not taken although it came whole. */
export type JsonFault =
  | { readonly kind: "syntax" }
  | { readonly kind: "depth"; readonly limit: number }
  | { readonly kind: "names"; readonly limit: number }
  /** One name twice in an object: which of the two counts is anybody's guess. */
  | { readonly kind: "repeated"; readonly name: string }
  /** A number beyond all that JavaScript can hold. */
  | { readonly kind: "infinite"; readonly number: string };

/**
 * Looks for what keeps a text from being JSON that says one thing only; undefined when there is
 * nothing. The text is walked, not parsed: 32 MiB of `{}` would take a gigabyte as objects, and it is
 * the alarm's own process that is to pay for those.
 */
export function findJsonFault(text: string): JsonFault | undefined {
  /** What is open: the names so far for an object, undefined for a list. */
  const open: (Set<string> | undefined)[] = [];
  let place: "value" | "value or end" | "name" | "name or end" | "after" = "value";
  let at = 0;
  for (;;) {
    at = skipSpace(text, at);
    const char = text[at];
    const names = open.at(-1);
    if (place === "after") {
      if (open.length === 0) return at === text.length ? undefined : SYNTAX;
      if (char === ",") place = names === undefined ? "value" : "name";
      else if (char === (names === undefined ? "]" : "}")) open.pop();
      else return SYNTAX;
      at += 1;
    } else if (
      (char === "}" && place === "name or end") ||
      (char === "]" && place === "value or end")
    ) {
      open.pop();
      place = "after";
      at += 1;
    } else if (names !== undefined && (place === "name" || place === "name or end")) {
      const end = endOfString(text, at);
      if (end === undefined) return SYNTAX;
      const name = nameIn(text.slice(at, end));
      if (names.has(name)) return { kind: "repeated", name };
      if (names.size === MAX_NAMES) return { kind: "names", limit: MAX_NAMES };
      names.add(name);
      at = skipSpace(text, end);
      if (text[at] !== ":") return SYNTAX;
      place = "value";
      at += 1;
    } else if (char === "{" || char === "[") {
      if (open.length === MAX_DEPTH) return { kind: "depth", limit: MAX_DEPTH };
      open.push(char === "{" ? new Set() : undefined);
      place = char === "{" ? "name or end" : "value or end";
      at += 1;
    } else {
      const end = endOfString(text, at) ?? endOfWord(text, at) ?? endOfNumber(text, at);
      if (end === undefined) return SYNTAX;
      if (typeof end === "object") return end;
      at = end;
      place = "after";
    }
  }
}

const SYNTAX: JsonFault = { kind: "syntax" };

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Where a string that begins here ends; undefined where none begins or it has no proper end. */
function endOfString(text: string, start: number): number | undefined {
  if (text.charCodeAt(start) !== QUOTE) return undefined;
  for (let at = start + 1; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return at + 1;
    if (code < 0x20) return undefined;
    if (code !== BACKSLASH) at += 1;
    else {
      ESCAPE.lastIndex = at;
      if (!ESCAPE.test(text)) return undefined;
      at = ESCAPE.lastIndex;
    }
  }
  return undefined;
}

function nameIn(quoted: string): string {
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

const WORDS = ["true", "false", "null"];

function endOfWord(text: string, start: number): number | undefined {
  const word = WORDS.find((known) => text.startsWith(known, start));
  return word === undefined ? undefined : start + word.length;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

function endOfNumber(text: string, start: number): number | JsonFault | undefined {
  NUMBER.lastIndex = start;
  if (!NUMBER.test(text)) return undefined;
  const literal = text.slice(start, NUMBER.lastIndex);
  return Number.isFinite(Number(literal))
    ? start + literal.length
    : { kind: "infinite", number: literal };
}
