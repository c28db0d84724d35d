import type { Command } from "commander";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import type { Database } from "../store/database.ts";
import { eventCounts } from "../store/event_list.ts";
import { renderState, viewAlarms } from "./alarms.ts";
import { unusableChannels } from "./channels.ts";
import { addJsonOption, type JsonOption, print, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command)).action(async (options: ConfigOption & JsonOption) => {
    const { alarms, notes } = await listAlarms(options);
    const rows = alarms.map(({ name, mail, active_events, recipients, state }) => {
      return [name, mail, String(active_events), recipients.join(" ") || "-", state];
    });
    const headings = ["ALARM", "MAIL", "ACTIVE", "RECIPIENTS", "STATE"];
    const table = renderTable(headings, rows, "no alarms: the alarms folders contain no modules");
    print(options, alarms, [...table, ...notes]);
  });
}

async function listAlarms(options: ConfigOption) {
  const view = async (db: Database, config: Config) => {
    const { alarms, notes } = await viewAlarms(db, config);
    const counts = await eventCounts(db);
    const channels = readChannels(config.channels);
    const facts = alarms.map((alarm) => ({
      name: alarm.row.name,
      entry_id: alarm.row.entryId,
      title: alarm.row.title,
      state: [renderState(alarm), ...unusableChannels(alarm.row, channels)].join("; "),
      mail: alarm.row.enabled ? "on" : "off",
      active_events: counts.get(alarm.row.name)?.active ?? 0,
      recipients: alarm.row.recipients,
      file: alarm.file?.path,
      replaces: alarm.file?.replaces ?? [],
    }));
    return { alarms: facts, notes };
  };
  // Without a database it lists the files.
  return await withDatabase(readConfig(options), view, "plan");
}
