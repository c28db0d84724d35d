/** A text for HTML, as content and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/**
 * A text for one header line: no line break or other control character can start a header of its own,
 * and no mark that turns the direction of writing can make it read as another.
 */
export function headerText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/g, "")
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim();
}

/** Marks and overrides of the writing direction: with them a text looks like another one. */
const BIDI = "\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069";
const UNPRINTABLE = new RegExp(`[${BIDI}]|[^\\P{Cc}\\n\\t]`, "gu");
/** JSON escapes only what lies below space. */
const UNPRINTABLE_JSON = new RegExp(`[${BIDI}\\u007f-\\u009f]`, "g");

/** A text for the body of a mail or for a terminal: line breaks and tabs stay, other control characters go. */
export function plainText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(UNPRINTABLE, "\uFFFD");
}

/** JSON text for a terminal: what it must not obey is written as its number, so that no value changes. */
export function plainJson(json: string): string {
  return json.replace(
    UNPRINTABLE_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
