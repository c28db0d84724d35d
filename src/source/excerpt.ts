const LIMIT = 160;

/**
 * The beginning of an answer, fit to be quoted in a message: one line, no control characters, an HTML
 * page reduced to its title.
 */
export function excerpt(body: string): string {
  const title = /<title[^>]*>([^<]{1,200})/i.exec(body)?.[1];
  const text = (title === undefined ? body : `HTML page "${title.trim()}"`).slice(0, LIMIT * 4);
  const line = text.replace(/[\p{Cc}\p{Cf}\s]+/gu, " ").trim();
  return line.length > LIMIT ? `${line.slice(0, LIMIT)}…` : line;
}
