import { type Command, InvalidArgumentError } from "commander";
import { alarmName } from "../core/event_key.ts";
import { listEvents } from "../store/event_list.ts";
import {
  addJsonOption,
  type JsonOption,
  print,
  renderTable,
  renderTime,
  withRowKeys,
} from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption, JsonOption {
  readonly alarm?: string;
  readonly all?: boolean;
  readonly limit: number;
}

export function declare(command: Command): void {
  addConfigOption(command)
    .option("--alarm <name>", "only this alarm", alarmName)
    .option("--all", "cleared events too");
  addJsonOption(addLimitOption(command, 50)).action(async (options: ListOptions) => {
    const { alarm, all = false, limit } = options;
    const events = await withDatabase(readConfig(options), (db) =>
      listEvents(db, { alarm, all, limit }),
    );
    const rows = events.map((event) => [
      event.alarm,
      event.dedupeKey,
      renderTime(event.fireTime),
      event.clearTime === undefined ? "firing" : renderTime(event.clearTime),
      renderTime(event.lastNotified),
      event.subject,
    ]);
    const headings = ["ALARM", "KEY", "FIRED", "CLEARED", "LAST MAILED", "SUBJECT"];
    print(options, events.map(withRowKeys), renderTable(headings, rows, "nothing is firing"));
  });
}

export function addLimitOption(command: Command, limit: number): Command {
  return command.option("--limit <n>", "at most this many, newest first", parseCount, limit);
}

/** An integer in Postgres. */
const MOST = 2 ** 31 - 1;

/** A whole number above 0. Throws InvalidArgumentError. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1 || count > MOST)
    throw new InvalidArgumentError(`write a whole number above 0, at most ${MOST}`);
  return count;
}
