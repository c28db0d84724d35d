import type { Command } from "commander";
import type { AlarmRow } from "../core/model.ts";
import type { ParamSpec } from "../core/params.ts";
import { type ListedEvent, listEvents } from "../store/event_list.ts";
import { findAlarm, renderState, type ViewedAlarm } from "./alarms.ts";
import { eventFacts } from "./event_list.ts";
import { printJson, printLines, renderTable, renderTime } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ShowOptions extends ConfigOption {
  readonly json?: boolean;
}

/** `alarm show`: one alarm, its parameters and its active events. */
export function declareAlarmShow(command: Command): void {
  addConfigOption(command.argument("<name>", "name of the alarm"))
    .option("--json", "print as JSON")
    .action(async (name: string, options: ShowOptions) => {
      await withDatabase(readConfig(options), async (db, config) => {
        const found = await findAlarm(db, config, name);
        const events = await listEvents(db, { alarm: found.row.name, all: false, limit: 1_000 });
        if (options.json === true) {
          printJson(alarmFacts(found, events));
        } else {
          printLines([
            ...renderHead(found),
            "",
            ...renderParams(found),
            "",
            `active events (${events.length}):`,
          ]);
          const rows = events.map((event) => [
            event.dedupeKey,
            renderTime(event.fireTime),
            renderTime(event.lastNotified),
            event.subject,
          ]);
          printLines(renderTable(["KEY", "SINCE", "MAILED", "SUBJECT"], rows, "none"));
        }
      });
    });
}

/** The alarm as facts, in the words of its row. */
function alarmFacts(alarm: ViewedAlarm, events: readonly ListedEvent[]) {
  const { row, file } = alarm;
  return {
    id: row.id === "" ? null : row.id,
    entry_id: row.entryId,
    title: row.title,
    description: row.description,
    state: renderState(alarm),
    module: file?.path ?? row.module,
    replaces: file?.replaces ?? [],
    enabled: row.enabled,
    recipients: row.recipients,
    renotification_window_hours: row.renotificationHours,
    params: paramFacts(alarm),
    events: events.map(eventFacts),
  };
}

function renderHead(alarm: ViewedAlarm): string[] {
  const { row, file } = alarm;
  return [
    `${row.entryId}: ${row.title}`,
    ...(row.description === "" ? [] : [row.description]),
    "",
    `state        ${renderState(alarm)}`,
    `module       ${file?.path ?? row.module}`,
    ...(file?.replaces ?? []).map((path) => `replaces     ${path}`),
    `row          ${row.id === "" ? "none yet; the next tick makes it" : row.id}`,
    `mail         ${row.enabled ? "on" : "off"}`,
    `recipients   ${row.recipients.join(" ") || "nobody"}`,
    `renotified   ${renotification(row)}`,
  ];
}

function renotification({ renotificationHours: hours }: AlarmRow): string {
  return hours > 0 ? `every ${hours} h while it fires` : "never: one mail per event";
}

/** Every parameter that the module knows: its spec, and the value in use with where it comes from. */
function paramFacts({ row, module }: ViewedAlarm) {
  return Object.entries(module?.params ?? {}).map(([name, spec]) => {
    const given = row.params[name];
    const isGiven = given !== undefined && given !== null;
    return {
      name,
      ...spec,
      value: isGiven ? given : spec.default,
      from: isGiven ? "row" : spec.default === undefined ? "unset" : "default",
    };
  });
}

function renderParams(alarm: ViewedAlarm): string[] {
  const rows = paramFacts(alarm).map((param) => [
    param.name,
    param.value === undefined ? "-" : JSON.stringify(param.value),
    param.from === "unset" ? (param.required === true ? "REQUIRED" : "optional") : param.from,
    renderType(param),
    param.description ?? "",
  ]);
  return renderTable(["PARAMETER", "VALUE", "FROM", "TYPE", "WHAT IT IS"], rows, "no parameters");
}

function renderType(spec: ParamSpec): string {
  const bounds = [
    "min" in spec && spec.min !== undefined ? `≥ ${spec.min}` : "",
    "max" in spec && spec.max !== undefined ? `≤ ${spec.max}` : "",
    "choices" in spec && spec.choices !== undefined ? `of ${spec.choices.join(", ")}` : "",
  ].filter((bound) => bound !== "");
  return [spec.type, ...bounds].join(" ");
}
