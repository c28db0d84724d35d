import { type Command, InvalidArgumentError } from "commander";
import type { Config } from "../config/config.ts";
import { listed } from "../core/delivery.ts";
import { alarmName } from "../core/event_key.ts";
import { NOTIFICATION_STATES } from "../core/notification.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { findEvents } from "../store/event_list.ts";
import {
  countNotifications,
  type ListedNotification,
  listNotifications,
} from "../store/notification_list.ts";
import { quote } from "../text/describe.ts";
import { hint } from "../text/nearest.ts";
import { NotFound, requireAlarms } from "./alarms.ts";
import { addLimitOption } from "./event_list.ts";
import { notificationFacts, shortId } from "./notifications.ts";
import { addJsonOption, type JsonOption, print, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption, JsonOption {
  readonly alarm?: string;
  readonly event?: string;
  readonly state?: readonly string[];
  readonly limit: number;
}

export function declare(command: Command): void {
  addConfigOption(command)
    .description("Lists notifications, newest first: what was sent where, and what waits.")
    .option("--alarm <name>", "only those of this alarm")
    .option("--event <id or key>", "only those that name this event")
    .option("--state <state...>", `only in these states: ${NOTIFICATION_STATES.join(", ")}`, state);
  addJsonOption(addLimitOption(command, 20)).action(async (options: ListOptions) => {
    const { items, total } = await withDatabase(readConfig(options), async (db, config) => {
      const { limit, state: states } = options;
      const filter = { ...(await scopeOf(db, config, options)), states };
      const items = await listNotifications(db, { ...filter, limit });
      const isCut = items.length === limit;
      return { items, total: isCut ? await countNotifications(db, filter) : items.length };
    });
    const headings = ["TIME", "ID", "ALARM", "CHANNEL", "TO", "STATE", "ATTEMPTS", "EVENTS"];
    const now = Date.now() / 1000;
    const rows = items.map((item) => cells(item, now));
    const lines = renderTable([...headings, "SUBJECT OR ERROR"], rows, "no notifications");
    const notifications = items.map(notificationFacts);
    print(options, { total, notifications }, lines, total - items.length);
  });
}

/** The alarm and the events that a person named. Throws NotFound. */
async function scopeOf(db: Database, config: Config, { alarm: typed, event }: ListOptions) {
  const alarm = typed === undefined ? undefined : await nameOf(typed, db, config);
  if (event === undefined) return { alarm, events: undefined };
  const names = alarm === undefined ? (await alarmRows(db)).rows.map(({ name }) => name) : [alarm];
  const found = await findEvents(db, event, names);
  const events = found.filter((each) => alarm === undefined || each.alarm === alarm);
  if (events.length > 0) return { alarm, events };
  throw new NotFound(
    `there is no event ${quote(event)}${alarm === undefined ? "" : ` of the alarm ${alarm}`}; write its id or its key; see: bin/swf-alarms event list --all`,
  );
}

/** Whatever has a notification is known, although its row and its module may be gone. */
async function nameOf(typed: string, db: Database, config: Config): Promise<string | undefined> {
  const anything = { events: undefined, states: undefined };
  for (const alarm of [alarmName(typed), typed])
    if ((await countNotifications(db, { ...anything, alarm })) > 0) return alarm;
  return (await requireAlarms(db, config, [typed], true))[0];
}

function cells(item: ListedNotification, now: number): string[] {
  const { newEventIds, continuingEventIds, clearedEventIds } = item;
  const events = newEventIds.length + continuingEventIds.length + clearedEventIds.length;
  return [
    renderTime(item.composedAt),
    shortId(item.id),
    item.alarm,
    item.channel,
    listed(item.to) || "-",
    stateCell(item, now),
    String(item.attempts),
    String(events),
    item.error ?? item.subject,
  ];
}

function stateCell({ state, notBefore = 0 }: ListedNotification, now: number): string {
  return notBefore > now ? `${state} until ${renderTime(notBefore)}` : state;
}

function state(text: string, others: readonly string[] = []): readonly string[] {
  const known: readonly string[] = NOTIFICATION_STATES;
  if (known.includes(text)) return [...others, text];
  throw new InvalidArgumentError(`there is no state ${quote(text)}${hint(text, known)}`);
}
