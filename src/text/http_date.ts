/** Seconds in a `retry-after` header, which holds seconds or a date; undefined when it holds neither. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d+$/.test(text)) return Number(text);
  const date = parseHttpDate(text);
  return date && Math.max(0, date - now);
}

/** An HTTP date as epoch seconds; undefined if it is not one. */
export function parseHttpDate(text: string): number | undefined {
  // It begins with a weekday; Date.parse would read "-5" as a year.
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : date / 1000;
}
