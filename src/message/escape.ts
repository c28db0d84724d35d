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

/**
 * A text for the body of a mail or for a terminal: line breaks and tabs stay, other control characters
 * go, and so do marks that turn the direction of writing over more than a word.
 */
export function plainText(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, "\n")
    .replace(/[\u202A-\u202E\u2066-\u2069]/g, "\uFFFD")
    .replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");
}
