import type { Command } from "commander";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import type { Database } from "../store/database.ts";
import { eventCounts } from "../store/event_list.ts";
import { alarmState, moduleOf, renderState, viewAlarms } from "./alarms.ts";
import { unusableChannels } from "./channels.ts";
import { addJsonOption, type JsonOption, print, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command)).action(async (options: ConfigOption & JsonOption) => {
    const { items, notes } = await listAlarms(options);
    const rows = items.map(({ facts, state }) => {
      const { alarm, enabled, events_firing, recipients } = facts;
      const mail = enabled ? "on" : "off";
      return [alarm, mail, String(events_firing), recipients.join(" ") || "-", state];
    });
    const headings = ["ALARM", "MAIL", "ACTIVE", "RECIPIENTS", "STATE"];
    const table = renderTable(headings, rows, "no alarms: the alarms folders contain no modules");
    print(options, { alarms: items.map(({ facts }) => facts), notes }, [...table, ...notes]);
  });
}

async function listAlarms(options: ConfigOption) {
  const view = async (db: Database, config: Config) => {
    const { alarms, notes } = await viewAlarms(db, config);
    const counts = await eventCounts(db);
    const channels = readChannels(config.channels);
    const items = alarms.map((alarm) => {
      const { name, entryId, title, enabled, recipients } = alarm.row;
      const { state, reasons } = alarmState(alarm);
      const unusable = unusableChannels(alarm.row, channels);
      const facts = {
        alarm: name,
        entry_id: entryId,
        title,
        state,
        reasons: [...reasons, ...unusable],
        enabled,
        events_firing: counts.get(name)?.active ?? 0,
        recipients,
        module: moduleOf(alarm),
        replaces: alarm.file?.replaces ?? [],
      };
      return { facts, state: [renderState(alarm), ...unusable].join("; ") };
    });
    return { items, notes };
  };
  // Without a database it lists the files.
  return await withDatabase(readConfig(options), view, "plan");
}
