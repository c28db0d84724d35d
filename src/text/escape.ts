const ENTITIES: { readonly [character: string]: string } = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A text for HTML, as content and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Bidirectional control characters can disguise text. */
const UNPRINTABLE = /[\p{Bidi_Control}\u2028\u2029]|[^\P{Cc}\n\t]/gu;
/** JSON itself escapes only characters below U+0020. */
const UNPRINTABLE_JSON = /[\p{Cf}\u007f-\u009f\u2028\u2029]/gu;

/** A text on one line, such as a header: it cannot start another line or read as another one. */
export function headerText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\p{Bidi_Control}/gu, "")
    .replace(/[\p{Cc}\u2028\u2029]+/gu, " ")
    .trim();
}

/** A text for the body of a mail or for a terminal: control characters other than line break and tab are replaced. */
export function plainText(text: string): string {
  return text.toWellFormed().replace(/\r\n?/g, "\n").replace(UNPRINTABLE, "\uFFFD");
}

/** JSON text for a terminal: control and invisible characters are escaped; the value stays the same. */
export function plainJson(json: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(UNPRINTABLE_JSON, (character) => character.replace(/./gs, escaped));
}
