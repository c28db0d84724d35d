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
 * Looks for what keeps a text in UTF-8 from being JSON that says one thing only; undefined when there is
 * nothing. The text is walked, not parsed: 32 MiB of `{}` would take a gigabyte as objects, and it is
 * the alarm's own process that is to pay for those.
 */
export function findJsonFault(bytes: Buffer): JsonFault | undefined {
  try {
    const end = skipSpace(bytes, new Walk(bytes).skipValue(0));
    return end === bytes.length ? undefined : { kind: "syntax" };
  } catch (error) {
    if (error instanceof Stop) return error.fault;
    throw error;
  }
}

/** Ends the walk. */
class Stop {
  readonly fault: JsonFault;

  constructor(fault: JsonFault = { kind: "syntax" }) {
    this.fault = fault;
  }
}

const [OBJECT, OBJECT_END, LIST, LIST_END, COMMA, COLON] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a];
const [QUOTE, BACKSLASH, MINUS, PLUS, POINT, ZERO] = [0x22, 0x5c, 0x2d, 0x2b, 0x2e, 0x30];

/** Each method takes the place of what it skips, and gives the place behind it. */
class Walk {
  readonly #bytes: Buffer;
  #depth = 0;
  /** For each depth, where the names of the last object were that ended there. */
  readonly #lastNames: (readonly number[])[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  skipValue(start: number): number {
    const bytes = this.#bytes;
    const at = skipSpace(bytes, start);
    const code = bytes[at];
    if (code === QUOTE) return skipString(bytes, at);
    if (code !== OBJECT && code !== LIST) return skipWord(bytes, at) ?? skipNumber(bytes, at);
    if (this.#depth === MAX_DEPTH) throw new Stop({ kind: "depth", limit: MAX_DEPTH });
    this.#depth += 1;
    const end = code === OBJECT ? this.#skipObject(at) : this.#skipList(at);
    this.#depth -= 1;
    return end;
  }

  #skipList(start: number): number {
    const bytes = this.#bytes;
    let at = skipSpace(bytes, start + 1);
    if (bytes[at] === LIST_END) return at + 1;
    for (;;) {
      at = skipSpace(bytes, this.skipValue(at));
      if (bytes[at] === LIST_END) return at + 1;
      if (bytes[at] !== COMMA) throw new Stop();
      at += 1;
    }
  }

  #skipObject(start: number): number {
    const bytes = this.#bytes;
    let at = skipSpace(bytes, start + 1);
    if (bytes[at] === OBJECT_END) return at + 1;
    const names = new Names(bytes, this.#lastNames[this.#depth] ?? []);
    for (;;) {
      at = skipSpace(bytes, names.skipName(at));
      if (bytes[at] !== COLON) throw new Stop();
      at = skipSpace(bytes, this.skipValue(at + 1));
      if (bytes[at] === OBJECT_END) break;
      if (bytes[at] !== COMMA) throw new Stop();
      at = skipSpace(bytes, at + 1);
    }
    this.#lastNames[this.#depth] = names.places;
    return at + 1;
  }
}

/**
 * The names of one object. In a list it mostly has those of the object before it, in the same order:
 * as long as that is so, none is there twice, and no set of them is needed.
 */
class Names {
  readonly #bytes: Buffer;
  /** Start and end of each name of the object before, all different. */
  readonly #before: readonly number[];
  #count = 0;
  /** Its own names, from the first that differs. */
  #own: { readonly places: number[]; readonly names: Set<string> } | undefined;

  constructor(bytes: Buffer, before: readonly number[]) {
    this.#bytes = bytes;
    this.#before = before;
  }

  /** Start and end of each name, in turn; also those that the object before had beyond its own. */
  get places(): readonly number[] {
    return this.#own?.places ?? this.#before;
  }

  skipName(start: number): number {
    if (this.#own === undefined) {
      const end = this.#skipAsBefore(start);
      if (end !== undefined) return end;
      this.#own = this.#soFar();
    }
    const { places, names } = this.#own;
    const end = skipString(this.#bytes, start);
    const name = nameIn(this.#bytes, start, end);
    if (names.has(name)) throw new Stop({ kind: "repeated", name });
    if (names.size === MAX_NAMES) throw new Stop({ kind: "names", limit: MAX_NAMES });
    names.add(name);
    places.push(start, end);
    return end;
  }

  #skipAsBefore(start: number): number | undefined {
    const bytes = this.#bytes;
    const from = this.#before[this.#count];
    const to = this.#before[this.#count + 1];
    if (from === undefined || to === undefined) return undefined;
    let at = start;
    for (let known = from; known < to; known++) {
      if (bytes[known] !== bytes[at]) return undefined;
      at += 1;
    }
    this.#count += 2;
    return at;
  }

  #soFar(): { places: number[]; names: Set<string> } {
    const places = this.#before.slice(0, this.#count);
    const names = new Set<string>();
    for (let at = 0; at < places.length; at += 2)
      names.add(nameIn(this.#bytes, places[at] ?? 0, places[at + 1] ?? 0));
    return { places, names };
  }
}

function nameIn(bytes: Buffer, start: number, end: number): string {
  const quoted = bytes.toString("utf8", start, end);
  return quoted.includes("\\") ? String(JSON.parse(quoted)) : quoted.slice(1, -1);
}

function skipSpace(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const code = bytes[at] ?? END;
    if (code > 0x20 || !(code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09))
      return at;
    at += 1;
  }
}

/** What is read behind the last byte. */
const END = -1;

function skipString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) throw new Stop();
  let at = start + 1;
  for (;;) {
    const code = bytes[at] ?? END;
    if (code === QUOTE) return at + 1;
    if (code < 0x20) throw new Stop();
    at = code === BACKSLASH ? skipEscape(bytes, at) : at + 1;
  }
}

const ESCAPED = new Set(Buffer.from('"\\/bfnrt'));

function skipEscape(bytes: Buffer, start: number): number {
  const code = bytes[start + 1] ?? END;
  if (ESCAPED.has(code)) return start + 2;
  const end = start + 6;
  if (code !== 0x75 || !/^[0-9a-fA-F]{4}$/.test(bytes.toString("utf8", start + 2, end)))
    throw new Stop();
  return end;
}

const WORDS = ["true", "false", "null"].map((word) => Buffer.from(word));

function skipWord(bytes: Buffer, start: number): number | undefined {
  for (const word of WORDS) {
    let length = 0;
    while (length < word.length && bytes[start + length] === word[length]) length += 1;
    if (length === word.length) return start + length;
  }
  return undefined;
}

/** Characters of a number, and digits of its exponent, up to which it is certainly not too large. */
const SURELY_FINITE = { length: 200, exponent: 2 };

function skipNumber(bytes: Buffer, start: number): number {
  const whole = bytes[start] === MINUS ? start + 1 : start;
  let end = bytes[whole] === ZERO ? whole + 1 : skipDigits(bytes, whole);
  if (bytes[end] === POINT) end = skipDigits(bytes, end + 1);
  let exponent = 0;
  if (bytes[end] === 0x65 || bytes[end] === 0x45) {
    const sign = bytes[end + 1];
    const digits = sign === PLUS || sign === MINUS ? end + 2 : end + 1;
    end = skipDigits(bytes, digits);
    exponent = end - digits;
  }
  if (end - start > SURELY_FINITE.length || exponent > SURELY_FINITE.exponent) {
    const number = bytes.toString("utf8", start, end);
    if (!Number.isFinite(Number(number))) throw new Stop({ kind: "infinite", number });
  }
  return end;
}

/** At least one. */
function skipDigits(bytes: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const code = bytes[at] ?? END;
    if (code < 0x30 || code > 0x39) break;
    at += 1;
  }
  if (at === start) throw new Stop();
  return at;
}
