import { numberOf, objectOf, show, textOf } from "./fields.ts";

/** A line of a client's log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly timestamp: string;
  readonly module: string;
}

/**
 * The lines of `/clients/{id}/logs`, oldest first; null for a response without them. `{"error":"Client not found"}` means
 * that the service has no log of the client yet, so that there are none.
 */
export function parseLogs(value: unknown): readonly LogLine[] | null {
  const answer = objectOf(value);
  const logs = answer?.logs;
  if (!Array.isArray(logs)) return textOf(answer?.error) === null ? null : [];
  return logs.map(objectOf).map((row) => ({
    level: textOf(row?.level) ?? "",
    message: textOf(row?.message) ?? "",
    timestamp: textOf(row?.timestamp) ?? "",
    module: textOf(row?.module) ?? "",
  }));
}

/** What the latest line is recognized by in the next look. */
function markOf(lines: readonly LogLine[]): string {
  const line = lines.at(-1);
  return line === undefined ? "" : markLine(line);
}

function markLine({ timestamp, level, message }: LogLine): string {
  return `${timestamp} ${level} ${message.slice(0, 40)}`;
}

/**
 * The lines after the marked one. All of them if it is not there any more: the service keeps the last 1,000 and loses them when
 * it restarts. Their order counts and not their times, which are local ones and go back when summer time ends.
 */
function linesSince(lines: readonly LogLine[], mark: string): readonly LogLine[] {
  return lines.slice(lines.findLastIndex((line) => markLine(line) === mark) + 1);
}

export function errorsIn(lines: readonly LogLine[]): readonly LogLine[] {
  return lines.filter(({ level }) => level === "ERROR" || level === "CRITICAL");
}

/** Different messages that a mail shows. */
const SHOWN = 5;

/** Each message once, with how often it came, the most frequent first. */
export function describeErrors(errors: readonly LogLine[]): string {
  const counts = new Map<string, LogLine[]>();
  for (const line of errors) counts.set(line.message, [...(counts.get(line.message) ?? []), line]);
  const sorted = [...counts].sort(([, a], [, b]) => b.length - a.length);
  const texts = sorted.slice(0, SHOWN).map(([message, lines]) => {
    const { timestamp = "", module = "" } = lines.at(-1) ?? {};
    return `${lines.length} x ${show(module)}, the last at ${show(timestamp)} (its local time):\n${message.slice(0, MAX_MESSAGE)}`;
  });
  const others = sorted.length - texts.length;
  return [...texts, ...(others > 0 ? [`and ${others} other messages`] : [])].join("\n\n");
}

/** Characters of a message, which may have a traceback. */
const MAX_MESSAGE = 1500;

export interface LogMemory {
  /** Of its latest line; null if it could not be read yet. */
  readonly mark: string | null;
  /** Error lines since it is watched. */
  readonly errors: number;
}

export interface ReadLog {
  /** Errors that no look has seen. */
  readonly fresh: readonly LogLine[];
  readonly memory: LogMemory;
}

/**
 * What is new in a log. Of the first look at a service nothing is known to be new: its log may hold the errors of days. All is
 * new in the log of a client that comes later.
 */
export function readLog(
  lines: readonly LogLine[] | undefined,
  remembered: LogMemory | undefined,
  isFirstLook: boolean,
): ReadLog {
  const { mark, errors } = remembered ?? { mark: isFirstLook ? null : "", errors: 0 };
  if (lines === undefined) return { fresh: [], memory: { mark, errors } };
  const fresh = mark === null ? [] : errorsIn(linesSince(lines, mark));
  return { fresh, memory: { mark: markOf(lines), errors: errors + fresh.length } };
}

export function parseLogMemory(value: unknown): LogMemory | undefined {
  const row = objectOf(value);
  return row === null ? undefined : { mark: textOf(row.mark), errors: numberOf(row.errors) ?? 0 };
}
