/** `2026-11-21 10:05 UTC`, for sentences, mails and tables. */
export function utcMinute(epochSeconds: number): string {
  return render(epochSeconds, "minute");
}

/** `2026-11-21 10:05:59 UTC`, for logs. */
export function utcSecond(epochSeconds: number): string {
  return render(epochSeconds, "second");
}

/** `2026-11-21T10:05:59Z`, for other programs; null for a time that no row can mean. */
export function rfc3339(epochSeconds: number): string | null {
  if (!isTime(epochSeconds)) return null;
  return new Date(epochSeconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
}

/** `40 s`, `17 min`, `5 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** From one time to another, such as `2 h 10 min` or `3 days 4 h`; undefined if that is not known. */
export function timeBetween(from: number, to: number): string | undefined {
  const seconds = to - from;
  if (!isTime(from) || !isTime(to) || seconds < 0) return undefined;
  if (seconds < 3600) return duration(seconds);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const [count, rest] =
    hours < 48
      ? [`${hours} h`, `${minutes % 60} min`]
      : [`${Math.floor(hours / 24)} days`, `${hours % 24} h`];
  return rest.startsWith("0 ") ? count : `${count} ${rest}`;
}

function render(epochSeconds: number, unit: "minute" | "second"): string {
  if (!isTime(epochSeconds)) return "an unknown time";
  const [text = ""] = new Date(epochSeconds * 1000)
    .toISOString()
    .split(unit === "minute" ? /:\d\d\./ : ".");
  return `${text.replace("T", " ")} UTC`;
}

/** A row may hold any number; from 1e11 on it is in milliseconds. */
function isTime(epochSeconds: number): boolean {
  return epochSeconds !== 0 && Math.abs(epochSeconds) < 1e11;
}

/**
 * A service's time text as epoch seconds; undefined when it is not one. A text without a zone is UTC, as
 * PanDA means it (`2026-08-07T17:54:00`); plain `Date.parse` would take it for the machine's local time.
 */
export function parseUtc(text: unknown): number | undefined {
  if (typeof text !== "string") return undefined;
  const match =
    /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/.exec(
      text.trim(),
    );
  if (match === null) return undefined;
  const [, date = "", time = "", zone = "Z"] = match;
  // Date.parse takes February 30th for March 2nd.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date)) return undefined;
  const offset = zone === "UTC" ? "Z" : zone.replace(/^(.\d{2}):?(\d{2})$/, "$1:$2");
  const milliseconds = Date.parse(`${date}T${time.length === 5 ? `${time}:00` : time}${offset}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds / 1000;
}
