import type { Command } from "commander";
import { readChannels } from "../channel/registry.ts";
import type { Config } from "../config/config.ts";
import { alarmChannels } from "../core/alarm_channels.ts";
import { alarmRows } from "../store/alarms.ts";
import { channelRecords } from "../store/channel_records.ts";
import type { Database } from "../store/database.ts";
import { channelNames, channelState } from "./channels.ts";
import {
  addJsonOption,
  type JsonOption,
  jsonTime,
  print,
  renderTable,
  renderTime,
} from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

const HEADINGS = [
  "CHANNEL",
  "TYPE",
  "DEFAULT",
  "DELIVERS TO",
  "ALARMS",
  "STATE",
  "LAST DELIVERY",
  "LAST ERROR",
];

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command))
    .description(
      "Lists the channels of the configuration, whether each can be used, and what its last notifications say about it.",
    )
    .action(async (options: ConfigOption & JsonOption) => {
      // Without a database it lists the configuration.
      const channels = await withDatabase(readConfig(options), listChannels, "plan");
      const rows = channels.map((channel) => [
        channel.name,
        channel.type ?? "-",
        channel.default ? "yes" : "no",
        channel.state === "wrong settings" ? "-" : (channel.target ?? "recipients of the alarms"),
        String(channel.alarms),
        channel.state,
        renderTime(channel.deliveredAt),
        channel.error === undefined ? "-" : `${renderTime(channel.failedAt)}: ${channel.error}`,
      ]);
      const faults = channels.flatMap(({ name, faults }) =>
        faults.map((text) => `${name}: ${text}`),
      );
      const notes = faults.length === 0 ? [] : ["", ...faults];
      const facts = channels.map(channelFacts);
      print(options, { channels: facts }, [...renderTable(HEADINGS, rows, ""), ...notes]);
    });
}

async function listChannels(db: Database, config: Config) {
  const channels = readChannels(config.channels);
  const names = channelNames(channels);
  const { rows } = await alarmRows(db);
  const uses = new Map<string, readonly string[]>();
  // Of two rows of one alarm the older one runs; it comes first.
  for (const row of rows.filter(({ archived }) => !archived))
    if (!uses.has(row.name)) uses.set(row.name, alarmChannels(row.channels, channels).names);
  const defaults = alarmChannels([], channels).names;
  const records = await channelRecords(db, names);
  return names.map((name) => {
    const channel = channels.get(name);
    return {
      name,
      type: channel?.type || undefined,
      default: defaults.includes(name),
      target: channel?.opener?.target,
      alarms: [...uses.values()].filter((used) => used.includes(name)).length,
      ...channelState(name, channels),
      ...records.get(name),
    };
  });
}

type ListedChannel = Awaited<ReturnType<typeof listChannels>>[number];

function channelFacts({ name, alarms, deliveredAt, failedAt, error, ...channel }: ListedChannel) {
  return {
    channel: name,
    ...channel,
    alarm_count: alarms,
    last_delivered_at: jsonTime(deliveredAt),
    last_failed_at: jsonTime(failedAt),
    last_error: error,
  };
}
