import { type Command, Option } from "commander";
import { readChannels } from "../channel/registry.ts";
import { alarmChannels } from "../core/alarm_channels.ts";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { describeSettle, formatSettle } from "../core/settle.ts";
import { type AlarmMemory, readMemory } from "../store/alarm_memory.ts";
import { type ListedEvent, listEvents } from "../store/event_list.ts";
import { utcSecond } from "../text/utc.ts";
import { alarmGraph } from "./alarm_graph.ts";
import { alarmState, findAlarm, moduleOf, renderState, type ViewedAlarm } from "./alarms.ts";
import { type Channels, channelState } from "./channels.ts";
import { eventFacts } from "./event_facts.ts";
import {
  addJsonOption,
  type JsonOption,
  jsonTime,
  line,
  print,
  printLines,
  renderTable,
  renderTime,
} from "./output.ts";
import { paramFacts, renderParams } from "./param_facts.ts";
import { describeReminders } from "./reminders.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ShowOptions extends ConfigOption, JsonOption {
  readonly graph?: boolean;
  /** An entity that the alarm follows. */
  readonly key?: string;
}

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command.argument("<name>", "name of the alarm")))
    .addOption(
      new Option("--graph", "print what it expects as a graph in DOT, for Graphviz").conflicts(
        "json",
      ),
    )
    .addOption(
      new Option(
        "--key <entity>",
        "the same, in the colours of what became of this entity; runs detect and writes nothing",
      )
        .conflicts("json")
        .implies({ graph: true }),
    )
    .action(async (name: string, options: ShowOptions) => {
      if (options.graph === true) {
        const dot = await alarmGraph(name, options, options.key);
        return printLines(dot.trimEnd().split("\n"));
      }
      const view = await withDatabase(readConfig(options), async (db, config) => {
        const alarm = await findAlarm(db, config, name);
        const filter = { alarm: alarm.row.name, all: false, limit: 0 };
        const channels = readChannels(config.channels);
        const memory = await readMemory(db, alarm.row);
        return { alarm, channels, memory, events: await listEvents(db, filter) };
      });
      const facts = { ...alarmFacts(view.alarm, view.channels), memory: memoryFacts(view.memory) };
      const lines = renderAlarm(facts, view);
      const context = { enabled: facts.enabled, now: Date.now() / 1000 };
      const events = view.events.map((event) => eventFacts(event, context));
      print(options, { ...facts, events }, lines);
    });
}

/** Settings have the keys of the alarm's row. */
function alarmFacts(alarm: ViewedAlarm, channels: Channels) {
  const { row, file } = alarm;
  return {
    id: row.id || null,
    alarm: row.name,
    entry_id: row.entryId,
    title: row.title,
    description: row.description,
    ...alarmState(alarm),
    module: moduleOf(alarm),
    replaces: file?.replaces ?? [],
    enabled: row.enabled,
    recipients: row.recipients,
    channels: alarmChannels(row.channels, channels).names.map((name) => {
      return { channel: name, ...channelState(name, channels) };
    }),
    severity: row.severity,
    settle: formatSettle(row.settle),
    clear_after: formatSettle(row.clearAfter),
    notify_clear: row.notifyClear,
    renotification_window_hours: row.renotify.hours,
    renotification_growth: row.renotify.growth,
    renotification_max_hours: row.renotify.maxHours,
    renotification_count: row.renotify.count,
    params: paramFacts(alarm),
  };
}

/** What the module remembers for its next tick; the value itself may be long. */
function memoryFacts(memory: AlarmMemory | undefined) {
  if (memory === undefined) return null;
  return { bytes: Buffer.byteLength(memory.text), at: jsonTime(memory.at) };
}

function renderMemory(memory: AlarmMemory | undefined): string | undefined {
  if (memory === undefined) return undefined;
  return `${Buffer.byteLength(memory.text)} bytes, remembered at ${utcSecond(memory.at)}`;
}

interface View {
  readonly alarm: ViewedAlarm;
  readonly memory: AlarmMemory | undefined;
  readonly events: readonly ListedEvent[];
}

function renderAlarm(
  alarm: ReturnType<typeof alarmFacts>,
  { alarm: viewed, memory, events }: View,
): string[] {
  const { row } = viewed;
  return [
    `${alarm.alarm}: ${alarm.title}`,
    ...(alarm.description ? alarm.description.split(/\r?\n/).map((line) => `  ${line}`) : []),
    "",
    `state        ${renderState(viewed)}`,
    `module       ${alarm.module}`,
    ...alarm.replaces.map((path) => `replaces     ${path}`),
    `row          ${alarm.id ?? "none yet; the next tick creates it"}`,
    `mail         ${alarm.enabled ? "on" : "off"}`,
    `recipients   ${alarm.recipients.join(" ") || "none"}`,
    ...alarm.channels.map(
      ({ channel, state, faults }) => `channel      ${channel}: ${[state, ...faults].join("; ")}`,
    ),
    ...renderSettings(row),
    `renotified   ${describeReminders(row.renotify)}`,
    ...line("memory", renderMemory(memory)),
    "",
    ...renderParams(alarm.params),
    "",
    `active events (${events.length}):`,
    ...renderTable(
      ["KEY", "FIRING SINCE", "LAST MAILED", "SUBJECT"],
      events.map((event) => {
        const times = [event.fireTime, event.lastNotified].map(renderTime);
        return [event.dedupeKey, ...times, event.subject];
      }),
      "none",
    ),
  ];
}

/** Those that differ from the default. */
function renderSettings({ name, severity, settle, clearAfter, notifyClear }: AlarmRow): string[] {
  const isUsual = notifyClear === (name === ENGINE);
  return [
    ...(severity === undefined ? [] : [`severity     ${severity}`]),
    ...(settle === undefined ? [] : [`settles      ${describeSettle(settle)} with it`]),
    ...(clearAfter === undefined ? [] : [`clears       ${describeSettle(clearAfter)} without it`]),
    ...(isUsual ? [] : [`notify clear ${notifyClear ? "on" : "off"}`]),
  ];
}
