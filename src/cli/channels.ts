import { type ConfiguredChannel, MAIL_TYPES } from "../channel/registry.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import type { AlarmRow } from "../core/model.ts";
import { quote } from "../text/describe.ts";

export type Channels = ReadonlyMap<string, ConfiguredChannel>;

/** Whether a channel can be used; `faults` say what to write. */
export interface ChannelState {
  readonly state: "ready" | "wrong settings" | "not configured";
  readonly faults: readonly string[];
}

/** The names of all channels: `email` need not be configured. */
export function channelNames(channels: Channels): readonly string[] {
  return [...new Set([EMAIL, ...channels.keys()])];
}

export function channelState(name: string, channels: Channels): ChannelState {
  const channel = channels.get(name);
  if (channel === undefined) return { state: "not configured", faults: [howToAdd(name)] };
  const { opener, faults } = channel;
  return opener === undefined ? { state: "wrong settings", faults } : { state: "ready", faults };
}

function howToAdd(name: string): string {
  if (name !== EMAIL) return `add [channels.${name}] to the configuration`;
  const providers = Object.keys(MAIL_TYPES).map(quote).join(", ");
  return `to send mail, add [email] to the configuration with from, and provider: one of ${providers}`;
}

/** The channels of the alarm that cannot be used although it notifies, in one line each. */
export function unusableChannels(row: AlarmRow, channels: Channels): readonly string[] {
  const { enabled, archived, channels: names } = row;
  if (!enabled || archived) return [];
  return names
    .filter((name) => channelState(name, channels).state === "wrong settings")
    .map((name) => `the channel ${name} cannot be used; see: bin/swf-alarms channel list`);
}
