const LIMIT = 160;
/** Characters in which the title of a page is searched. */
const BEGINNING = 4_000;

/** The beginning of a response for a message: one line without control characters; of an HTML page the title. */
export function excerpt(body: string): string {
  const beginning = body.slice(0, BEGINNING);
  const title = /<title[^>]*>([^<]{1,200})/i.exec(beginning)?.[1];
  const text = title === undefined ? beginning : `HTML page "${title.trim()}"`;
  const line = text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .toWellFormed();
  if (line.length <= LIMIT) return line;
  // Whole words only: half of a secret that the service echoes would not be recognised as one.
  const [words] = /^.*(?=[\s"',&<>])/.exec(line.slice(0, LIMIT + 1)) ?? [];
  return `${words?.trimEnd() || line.slice(0, LIMIT).toWellFormed()}…`;
}
