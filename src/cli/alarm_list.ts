import type { Command } from "commander";
import type { ModuleFile } from "../alarm/discover.ts";
import { describeReplacement } from "../alarm/merge_folders.ts";
import type { AlarmRow } from "../core/model.ts";
import { alarmRows } from "../store/alarms.ts";
import { eventCounts } from "../store/event_list.ts";
import { renderState, viewAlarms } from "./alarms.ts";
import { printJson, printLines, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption {
  readonly json?: boolean;
}

/** `alarm list`: every alarm and whether it can run. */
export function declareAlarmList(command: Command): void {
  addConfigOption(command)
    .option("--json", "print as JSON")
    .action(async (options: ListOptions) => {
      const { alarms, replacements, problems } = await listAlarms(options);
      if (options.json === true) return printJson(alarms);
      const rows = alarms.map(({ name, state, mail, active_events: active, recipients }) => {
        return [name, mail, String(active), recipients.join(" ") || "-", state];
      });
      printLines(
        renderTable(
          ["ALARM", "MAIL", "ACTIVE", "RECIPIENTS", "STATE"],
          rows,
          "no alarms: the alarms folders hold no modules",
        ),
      );
      printLines(replacements);
      printLines(problems);
    });
}

async function listAlarms(options: ConfigOption) {
  return await withDatabase(readConfig(options), async (db, config) => {
    const { alarms, problems, fileOf } = await viewAlarms(db, config);
    const { rows } = await alarmRows(db);
    const counts = await eventCounts(db);
    const listed = (row: AlarmRow, state: string) =>
      listedAlarm(row, state, counts.get(row.name)?.active ?? 0, fileOf(row));
    const live = alarms.map((alarm) => listed(alarm.row, renderState(alarm)));
    const archived = rows.filter((row) => row.archived).map((row) => listed(row, "archived"));
    const files = new Set(alarms.flatMap(({ file }) => file ?? []));
    const replacements = [...files].flatMap(describeReplacement);
    return { alarms: [...live, ...archived], replacements, problems };
  });
}

function listedAlarm(row: AlarmRow, state: string, active: number, file?: ModuleFile) {
  return {
    name: row.name,
    entry_id: row.entryId,
    title: row.title,
    state,
    mail: row.enabled ? "on" : "off",
    active_events: active,
    recipients: row.recipients,
    file: file?.path ?? null,
    replaces: file?.replaces ?? [],
  };
}
