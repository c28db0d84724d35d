import { type Command, InvalidArgumentError, Option } from "commander";
import { parseUtc, utcMinute } from "../text/utc.ts";

/** When something ends that a person asks for, such as an acknowledgement. */
export interface UntilOptions {
  /** Epoch seconds, either way. */
  readonly for?: number;
  readonly until?: number;
}

/** The value of an option that this function reads: see `parseTime`. */
export function timeOption(read: typeof parseTime): (text: string) => number {
  return (text) => {
    const found = read(text, Date.now() / 1000);
    if (typeof found === "string") throw new InvalidArgumentError(found);
    return found;
  };
}

export function addUntilOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--for <time>", "for this long, such as 90m, 2h, 3d or 1h30m")
        .argParser(timeOption(parseFor))
        .conflicts("until"),
    )
    .option(
      "--until <time>",
      'until this time: "2026-11-27 12:00" or 12:00 are UTC, 2026-11-27T12:00:00+01:00 has its zone',
      timeOption(parseUntil),
    );
}

/** Epoch seconds; undefined if neither option is given. */
export function untilOf(options: UntilOptions): number | undefined {
  return options.for ?? options.until;
}

const DAY = 86_400;
const MOST_DAYS = 90;

/** The end of a time such as `1h30m` that begins now. Returns what to write if it is not one. */
export function parseFor(text: string, now: number): number | string {
  const [found, days = "", hours = "", minutes = ""] =
    /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?$/.exec(text) ?? [];
  const seconds = Number(days) * DAY + Number(hours) * 3600 + Number(minutes) * 60;
  if (!found || seconds === 0 || seconds > MOST_DAYS * DAY)
    return `write a time such as 90m, 2h, 3d or 1h30m, at most ${MOST_DAYS}d`;
  return now + seconds;
}

/** A time to come; a text without a zone is UTC. Returns what to write if it is not one. */
export function parseUntil(text: string, now: number): number | string {
  const today = timeOfDay(text, now);
  const time = today !== undefined && today <= now ? today + DAY : parseTime(text, now);
  if (typeof time === "string") return time;
  if (time <= now) return `it is in the past: now it is ${utcMinute(now)}; write a later time`;
  if (time <= now + MOST_DAYS * DAY) return time;
  return `it is more than ${MOST_DAYS} days ahead: now it is ${utcMinute(now)}; write an earlier time, or leave it out`;
}

/** Any time, of this day if the text has none; without a zone it is UTC. Returns what to write if it is not one. */
export function parseTime(text: string, now: number): number | string {
  return (
    timeOfDay(text, now) ??
    parseUtc(text.toUpperCase()) ??
    'write a time such as 12:00, "2026-11-27 12:00" (both UTC) or 2026-11-27T12:00:00+01:00'
  );
}

/** When UTC clocks show `HH:MM` on this day; undefined if the text is not so. */
function timeOfDay(text: string, now: number): number | undefined {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  return Math.floor(now / DAY) * DAY + Number(hours) * 3600 + Number(minutes) * 60;
}
