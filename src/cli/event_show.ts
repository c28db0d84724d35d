import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import type { Database } from "../store/database.ts";
import { eventTexts, type ListedEvent } from "../store/event_list.ts";
import { eventFacts } from "./event_facts.ts";
import { addEventArguments } from "./event_options.ts";
import { alarmOf, findEvent } from "./events.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { renderEvent } from "./render_event.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addEventArguments(command).description(
    "Shows the newest event of a key: its state, who has been notified of it, and what holds further notifications back; then the events before it.",
  );
  addJsonOption(command).action(
    async (alarm: string, key: string, options: ConfigOption & JsonOption) => {
      const { event, body, earlier, context } = await withDatabase(
        readConfig(options),
        async (db, config) => await viewEvent(db, config, alarm, key),
      );
      const facts = {
        event: { ...eventFacts(event, context), ...moreFacts(event), body },
        earlier: earlier.map((each) => eventFacts(each, context)),
      };
      print(options, facts, renderEvent(event, body, earlier, context));
    },
  );
}

async function viewEvent(db: Database, config: Config, typed: string, key: string) {
  const { event, earlier } = await findEvent(db, config, typed, key);
  const { row } = await alarmOf(db, config, event.alarm);
  const texts = await eventTexts(db, [event.id], row.description);
  const body = texts.get(event.id)?.body ?? "";
  return { event, earlier, body, context: { enabled: row.enabled, now: Date.now() / 1000 } };
}

function moreFacts({ notices, peak, fired, level }: ListedEvent) {
  const { recipients, to, reminders } = notices;
  return { recipients, to, reminders, peak: peak ?? level, fired: fired ?? level };
}
