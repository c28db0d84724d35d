import { Buffer } from "node:buffer";

/**
 * Bytes of text in one encoded word: it may have 75 characters (RFC 2047), and the first of them has to
 * fit on the header's first line of 76.
 */
const WORD = 36;

/** A text of any script as a header holds it: ASCII words that mail programs decode. */
export function encodedWords(text: string): string {
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (Buffer.byteLength(word + character) > WORD) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word]
    .map((part) => `=?UTF-8?B?${Buffer.from(part).toString("base64")}?=`)
    .join(" ");
}

/** Longest first word that stays on the line of `Subject:` when the header is folded. */
const FIRST_WORD = 60;

/**
 * A subject as its header holds it. A first word that is too long for its line would be folded away
 * from `Subject:`, and some mail programs then show a blank before it.
 */
export function headerSubject(subject: string): string {
  const [first = ""] = subject.split(" ");
  const isPlain = isAscii(subject) && !subject.includes("=?") && first.length <= FIRST_WORD;
  return isPlain ? subject : encodedWords(subject);
}

export function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}
