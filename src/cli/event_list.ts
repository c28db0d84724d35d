import { type Command, InvalidArgumentError } from "commander";
import type { Config } from "../config/config.ts";
import { alarmName } from "../core/event_key.ts";
import type { Database } from "../store/database.ts";
import { countEvents, listEvents } from "../store/event_list.ts";
import { requireAlarms } from "./alarms.ts";
import { eventFacts } from "./event_facts.ts";
import { addJsonOption, type JsonOption, print, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption, JsonOption {
  readonly alarm?: string;
  readonly all?: boolean;
  readonly limit: number;
}

export function declare(command: Command): void {
  addConfigOption(command)
    .option("--alarm <name>", "only this alarm")
    .option("--all", "cleared events too");
  addJsonOption(addLimitOption(command, 50)).action(async (options: ListOptions) => {
    const { alarm: typed, all = false, limit } = options;
    const { events, total } = await withDatabase(readConfig(options), async (db, config) => {
      const alarm = typed === undefined ? undefined : await nameOf(typed, db, config);
      const events = await listEvents(db, { alarm, all, limit });
      const isCut = events.length === limit;
      return { events, total: isCut ? await countEvents(db, { alarm, all }) : events.length };
    });
    const rows = events.map((event) => [
      event.alarm,
      event.dedupeKey,
      renderTime(event.fireTime),
      event.clearTime === undefined ? "firing" : renderTime(event.clearTime),
      renderTime(event.lastNotified),
      event.subject,
    ]);
    const headings = ["ALARM", "KEY", "FIRED", "CLEARED", "LAST MAILED", "SUBJECT"];
    const lines = renderTable(headings, rows, "nothing is firing");
    const facts = { total, events: events.map(eventFacts) };
    print(options, facts, lines, total - events.length);
  });
}

/** Whatever has an event is known, although its row and its module may be gone. */
async function nameOf(typed: string, db: Database, config: Config): Promise<string | undefined> {
  for (const name of [typed, alarmName(typed)])
    if ((await countEvents(db, { alarm: name, all: true })) > 0) return name;
  return (await requireAlarms(db, config, [typed], true))[0];
}

export function addLimitOption(command: Command, limit: number): Command {
  return command.option("--limit <n>", "at most n, newest first; 0 for all", parseCount, limit);
}

/** An integer in Postgres. */
const MOST = 2 ** 31 - 1;

/** A whole number. Throws InvalidArgumentError. */
export function parseCount(text: string): number {
  if (/^\d+$/.test(text) && Number(text) <= MOST) return Number(text);
  throw new InvalidArgumentError(`write a whole number, at most ${MOST}; 0 for all`);
}
