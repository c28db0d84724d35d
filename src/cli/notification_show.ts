import type { Command } from "commander";
import { eventsById, type ListedEvent } from "../store/event_list.ts";
import type { ListedNotification } from "../store/notification_list.ts";
import { findNotification, nextStep, notificationFacts, parseId } from "./notifications.ts";
import { addJsonOption, type JsonOption, print, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<id>", "id of the notification, or its first 8 characters", parseId)
    .description(
      "Shows what is on record of a notification: what it says of which events, to whom, and what happens next to it.",
    );
  addJsonOption(command).action(async (id: string, options: ConfigOption & JsonOption) => {
    const { item, events, next } = await withDatabase(readConfig(options), async (db, config) => {
      const item = await findNotification(db, id);
      const { newEventIds, continuingEventIds, clearedEventIds } = item;
      const ids = [...newEventIds, ...continuingEventIds, ...clearedEventIds];
      const events = new Map((await eventsById(db, ids)).map((event) => [event.id, event]));
      return { item, events, next: await nextStep(db, config, item, Date.now() / 1000) };
    });
    const named = namedEvents(item, events);
    const facts = { ...notificationFacts(item), next, events: named, text: item.text };
    print(options, facts, renderNotification(item, named, next));
  });
}

/** What the notification says of each event; of one that is no longer kept, only the id is known. */
function namedEvents(item: ListedNotification, events: ReadonlyMap<string, ListedEvent>) {
  const named = (as: string, ids: readonly string[]) =>
    ids.map((id) => {
      const event = events.get(id);
      return { id, named_as: as, key: event?.dedupeKey, subject: event?.subject };
    });
  return [
    ...named("new", item.newEventIds),
    ...named("continuing", item.continuingEventIds),
    ...named("cleared", item.clearedEventIds),
  ];
}

function renderNotification(
  item: ListedNotification,
  named: ReturnType<typeof namedEvents>,
  next: string | undefined,
): string[] {
  const optional = (label: string, value: string | undefined): string[] =>
    value === undefined || value === "" ? [] : [`${label.padEnd(12)} ${value}`];
  return [
    item.subject,
    "",
    ...optional("id", item.id),
    ...optional("alarm", item.isTest ? "none: it is a test of the channel" : item.alarm),
    ...optional("channel", `${item.channel}${item.type === undefined ? "" : ` (${item.type})`}`),
    ...optional("to", item.to.join(" ")),
    ...optional("recipients", item.recipients.join(" ")),
    ...optional("state", item.state),
    ...optional("next", next),
    ...optional("composed", renderTime(item.composedAt)),
    ...optional("attempts", `${item.attempts}, the first at ${renderTime(item.attemptedAt)}`),
    ...optional("finished", item.finishedAt === undefined ? "" : renderTime(item.finishedAt)),
    ...optional("pending", item.pending.join(" ")),
    ...item.refused.flatMap(({ address, reason }) => optional("refused", `${address}: ${reason}`)),
    ...optional("given up", item.givenUp.join(" ")),
    ...optional("error", item.error),
    ...optional("may repeat", item.mayHaveBeenSent ? "an attempt may have been delivered" : ""),
    ...optional("replaced by", item.supersededBy),
    ...item.messageIds.flatMap((id) => optional("message id", id)),
    "",
    `events (${named.length}):`,
    ...renderTable(
      ["NAMED AS", "ID", "KEY", "SUBJECT"],
      named.map((event) => [
        event.named_as,
        event.id,
        event.key ?? "-",
        event.subject ?? "no longer kept",
      ]),
      "none",
    ),
    "",
    "text:",
    ...item.text.split(/\r?\n/).map((line) => `  ${line}`),
  ];
}
