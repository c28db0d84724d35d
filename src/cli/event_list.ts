import { type Command, InvalidArgumentError } from "commander";
import { type ListedEvent, listEvents } from "../store/event_list.ts";
import { printJson, printLines, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption {
  readonly alarm?: string;
  readonly all?: boolean;
  readonly limit: number;
  readonly json?: boolean;
}

/** `event list`: what is firing. */
export function declareEventList(command: Command): void {
  addConfigOption(command)
    .option("--alarm <name>", "only this alarm")
    .option("--all", "cleared events too")
    .option("--limit <n>", "at most so many, newest first", parseCount, 50)
    .option("--json", "print as JSON")
    .action(async (options: ListOptions) => {
      const filter = {
        alarm: options.alarm?.replace(/^alarm_/, ""),
        all: options.all === true,
        limit: options.limit,
      };
      const events = await withDatabase(readConfig(options), (db) => listEvents(db, filter));
      if (options.json === true) return printJson(events.map(eventFacts));
      const rows = events.map((item) => [
        item.alarm,
        item.dedupeKey,
        renderTime(item.fireTime),
        item.clearTime === undefined ? "firing" : renderTime(item.clearTime),
        renderTime(item.lastNotified),
        item.subject,
      ]);
      printLines(
        renderTable(
          ["ALARM", "KEY", "FIRED", "CLEARED", "MAILED", "SUBJECT"],
          rows,
          "nothing is firing",
        ),
      );
    });
}

/** An event as facts, in the words of its row. */
export function eventFacts(event: ListedEvent) {
  return {
    id: event.id,
    alarm: event.alarm,
    dedupe_key: event.dedupeKey,
    subject: event.subject,
    fire_time: event.fireTime ?? null,
    last_seen: event.lastSeen ?? null,
    clear_time: event.clearTime ?? null,
    clear_reason: event.clearReason ?? null,
    last_notified: event.lastNotified ?? null,
  };
}

/** The most that the database takes for a limit. */
const MOST = 2 ** 31 - 1;

/** A whole number above 0, for options that limit a list. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST)
    throw new InvalidArgumentError(`write a whole number above 0, at most ${MOST}`);
  return count;
}
