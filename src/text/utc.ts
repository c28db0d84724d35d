/** `2026-11-21 10:05 UTC`, for sentences and mails; a row may hold any number. */
export function utcMinute(epochSeconds: number): string {
  const date = new Date(epochSeconds * 1000);
  if (epochSeconds === 0 || Number.isNaN(date.getTime())) return "an unknown time";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * A service's time text as epoch seconds; undefined when it is none. A text without a zone is UTC, as
 * PanDA means it (`2026-08-07T17:54:00`), and so is GraceDB's `2023-08-31 08:44:28 UTC`. Plain
 * `Date.parse` would take the first for the local time of the machine.
 */
export function parseUtc(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const match =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, date = "", time = "", zone = "Z"] = match;
  // A day that the month does not have would roll over into the next month.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return undefined;
  const offset =
    zone === "UTC" || zone === "Z" ? "Z" : zone.replace(/^(.\d{2}):?(\d{2})$/, "$1:$2");
  const milliseconds = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${offset}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
