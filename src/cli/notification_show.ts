import type { Command } from "commander";
import { eventsById, type ListedEvent } from "../store/event_list.ts";
import type { ListedNotification } from "../store/notification_list.ts";
import { findNotification, nextStep, notificationFacts, parseId } from "./notifications.ts";
import { addJsonOption, type JsonOption, line, print, renderTable, renderTime } from "./output.ts";
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
  return [
    item.subject,
    "",
    ...line("id", item.id),
    ...line("alarm", item.isTest ? "none: it is a test of the channel" : item.alarm),
    ...line("channel", `${item.channel}${item.type === undefined ? "" : ` (${item.type})`}`),
    ...line("to", item.to.join(" ")),
    ...line("recipients", item.recipients.join(" ")),
    ...line("state", item.state),
    ...line("next", next),
    ...line("composed", renderTime(item.composedAt)),
    ...line("attempts", `${item.attempts}, the first at ${renderTime(item.attemptedAt)}`),
    ...line("finished", item.finishedAt === undefined ? "" : renderTime(item.finishedAt)),
    ...line("pending", item.pending.join(" ")),
    ...item.refused.flatMap(({ address, reason }) => line("refused", `${address}: ${reason}`)),
    ...line("given up", item.givenUp.join(" ")),
    ...line("error", item.error),
    ...line("may repeat", item.mayHaveBeenSent ? "an attempt may have been delivered" : ""),
    ...line("replaced by", item.supersededBy),
    ...item.messageIds.flatMap((id) => line("message id", id)),
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
