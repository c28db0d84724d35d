const LIMIT = 160;
/** Where a page's title is looked for: an answer may have any size. */
const BEGINNING = 4_000;

/**
 * The beginning of an answer, fit to be quoted in a message: one line, no control characters, an HTML
 * page reduced to its title.
 */
export function excerpt(body: string): string {
  const beginning = body.slice(0, BEGINNING);
  const title = /<title[^>]*>([^<]{1,200})/i.exec(beginning)?.[1];
  const text = title === undefined ? beginning : `HTML page "${title.trim()}"`;
  const line = text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .toWellFormed();
  return line.length > LIMIT ? `${line.slice(0, LIMIT).toWellFormed()}…` : line;
}
