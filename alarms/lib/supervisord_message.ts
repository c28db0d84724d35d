import { type Detection, duration, type Severity, utcSecond } from "swf-alarms";
import { type Source, type SupervisorEvent, shorten } from "./supervisord_event.ts";
import { type ProcessId, processName } from "./supervisord_process.ts";

/** A line that a program has sent to its supervisord. Times are epoch seconds by the listener's clock. */
export interface Message extends ProcessId {
  readonly kind: "ALERT" | "SIGNAL";
  readonly supervisor: string;
  readonly words: readonly [string, string];
  /** Of the latest one. */
  readonly detail: string;
  readonly since: number;
  readonly at: number;
  /** How often it came since then. */
  readonly count: number;
}

/** Characters of a word, and of the detail. */
const MAX_WORD = 100;
const MAX_DETAIL = 500;

type OutputEvent = SupervisorEvent & { readonly kind: "output" };

/**
 * The lines `ALERT:A:B:detail` and `SIGNAL:TYPE:ID:detail` of what a program sent; signals only of these types. What is
 * missing at the end of a line is shown as `?`: an alert without a detail is one.
 */
export function messagesOf(event: OutputEvent, signals: readonly string[]): readonly Message[] {
  const { supervisor, group, name, at }: Source & ProcessId = event;
  return event.text.split(/\r?\n/).flatMap((line) => {
    const [, kind, first = "", second = "", detail = ""] =
      /^\s*(ALERT|SIGNAL):([^:]*):?([^:]*):?(.*)$/s.exec(line) ?? [];
    const words = [shorten(first, MAX_WORD), shorten(second, MAX_WORD)] as const;
    if (kind !== "ALERT" && !(kind === "SIGNAL" && signals.includes(words[0]))) return [];
    const shown = shorten(detail, MAX_DETAIL);
    return { kind, supervisor, group, name, words, detail: shown, since: at, at, count: 1 };
  });
}

export function messageKey({ supervisor, group, name, kind, words }: Message): string {
  return `${supervisor}:${group}:${name}:${kind}:${words.join(":")}`;
}

export function afterMessage(before: Message | undefined, message: Message): Message {
  if (before === undefined) return message;
  const { since, count } = before;
  return message.at < before.at
    ? { ...before, count: count + 1 }
    : { ...message, since, count: count + 1 };
}

/** Why it is over. `clock`: the latest line of its supervisord. */
export function endOfMessage({ at }: Message, clock: number, quiet: number): string | null {
  return clock - at < quiet ? null : `quiet for ${duration(clock - at)}`;
}

export function describeMessage(message: Message): Detection {
  const { supervisor, kind, words, detail, since, at, count } = message;
  const program = processName(message);
  const lines = [
    `Program:  ${program}, supervised by ${supervisor}`,
    `Message:  ${kind}:${words.join(":")}:${detail}`,
    `First:    ${utcSecond(since)}`,
    `Latest:   ${utcSecond(at)}`,
    `Messages: ${count}`,
  ];
  const severity = kind === "ALERT" ? severityOf(words) : undefined;
  return {
    dedupeKey: messageKey(message),
    subject: `${supervisor}: ${program} sent ${kind} ${words.join(" ")}: ${detail}`,
    body: lines.join("\n"),
    ...(severity !== undefined && { severity }),
    data: { metric: detail, supervisor, program, words: [...words], count },
  };
}

const LEVELS: ReadonlyMap<string, Severity> = new Map([
  ["CRITICAL", "critical"],
  ["FATAL", "critical"],
  ["EMERGENCY", "critical"],
  ["ERROR", "error"],
  ["HIGH", "error"],
  ["WARNING", "warning"],
  ["WARN", "warning"],
  ["MEDIUM", "warning"],
  ["INFO", "info"],
  ["NOTICE", "info"],
  ["LOW", "info"],
]);

/** Programs write the level first, or the type: whichever of the two is a level. */
function severityOf(words: readonly string[]): Severity {
  const levels = words.flatMap((word) => LEVELS.get(word.toUpperCase()) ?? []);
  return levels[0] ?? "warning";
}
