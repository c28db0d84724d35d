import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/config.ts";
import { describeProgress } from "../core/settle.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { readStates } from "../store/engine_state.ts";
import { countEvents, type ListedEvent, listEvents } from "../store/event_list.ts";
import { ackOf, eventFacts } from "./event_facts.ts";
import { alarmOfEvents } from "./events.ts";
import { addJsonOption, type JsonOption, print, renderTable, renderTime } from "./output.ts";
import { pendingDetections, pendingFacts } from "./pending.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption, JsonOption {
  readonly alarm?: string;
  readonly all?: boolean;
  readonly pending?: boolean;
  readonly limit: number;
}

export function declare(command: Command): void {
  addConfigOption(command)
    .option("--alarm <name>", "only this alarm")
    .option("--all", "cleared events too")
    .addOption(new Option("--pending", "what is detected and does not fire yet").conflicts("all"));
  addJsonOption(addLimitOption(command, 50)).action(async (options: ListOptions) => {
    const show = async (db: Database, config: Config) => {
      const { alarm: typed } = options;
      const alarm = typed === undefined ? undefined : await alarmOfEvents(db, config, typed);
      const list = options.pending === true ? pendingList : eventList;
      return await list(db, alarm, options);
    };
    const { facts, lines, more } = await withDatabase(readConfig(options), show);
    print(options, facts, lines, more);
  });
}

async function eventList(db: Database, alarm: string | undefined, options: ListOptions) {
  const { all = false, limit } = options;
  const now = Date.now() / 1000;
  const events = await listEvents(db, { alarm, all, limit });
  const isCut = events.length === limit;
  const total = isCut ? await countEvents(db, { alarm, all }) : events.length;
  const { rows } = await alarmRows(db);
  const notifying = new Set(rows.flatMap(({ name, enabled }) => (enabled ? name : [])));
  const facts = events.map((event) => {
    return eventFacts(event, { enabled: notifying.has(event.alarm), now });
  });
  const lines = renderEvents(events, now);
  return { facts: { total, events: facts }, lines, more: total - events.length };
}

function renderEvents(events: readonly ListedEvent[], now: number): string[] {
  const severity = events.some(({ level }) => level.severity !== undefined);
  const rows = events.map((event) => [
    event.alarm,
    event.dedupeKey,
    ...(severity ? [event.level.severity ?? "-"] : []),
    renderTime(event.fireTime),
    stateCell(event, now),
    renderTime(event.lastNotified),
    event.subject,
  ]);
  const own = severity ? ["SEVERITY"] : [];
  const headings = ["ALARM", "KEY", ...own, "FIRED", "CLEARED", "LAST MAILED", "SUBJECT"];
  return renderTable(headings, rows, "nothing is firing");
}

function stateCell(event: ListedEvent, now: number): string {
  if (event.clearTime !== undefined) return renderTime(event.clearTime);
  const ack = ackOf(event, now);
  if (ack === undefined) return "firing";
  return ack.until === undefined ? "acknowledged" : `acknowledged until ${renderTime(ack.until)}`;
}

async function pendingList(db: Database, alarm: string | undefined, { limit }: ListOptions) {
  const { rows } = await alarmRows(db);
  const alarms = rows.filter(({ name }) => (alarm ?? name) === name);
  const all = pendingDetections(await readStates(db), alarms, Date.now() / 1000);
  const listed = limit === 0 ? all : all.slice(0, limit);
  const cells = listed.map((each) => [
    each.alarm,
    each.key,
    renderTime(each.firstSeen),
    describeProgress(each),
    each.fires,
    each.subject ?? "-",
  ]);
  const headings = ["ALARM", "KEY", "FIRST SEEN", "SEEN", "FIRES", "SUBJECT"];
  const lines = renderTable(headings, cells, "nothing is pending");
  const facts = { total: all.length, pending: listed.map(pendingFacts) };
  return { facts, lines, more: all.length - listed.length };
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
