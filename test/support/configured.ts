import type { Channel } from "../../src/channel/channel.ts";
import { fileChannel } from "../../src/channel/file.ts";
import type { ConfiguredChannel } from "../../src/channel/registry.ts";
import type { SettingsTables, Surroundings } from "../../src/config/config.ts";
import type { Notices } from "../../src/core/model.ts";
import { NO_NOTICES } from "../../src/core/news.ts";
import { BARE } from "./login.ts";

/** The channels of a configuration without any. */
export function noChannels(around: Surroundings = BARE): SettingsTables {
  return { tables: new Map(), around };
}

/** A configuration whose only service is the main one; without one if there is no address. */
export function mainService(address: string | undefined): SettingsTables {
  const table = { path: ["engine"], settings: { base_url: address } };
  return { tables: new Map(address === undefined ? [] : [["main", table]]), around: BARE };
}

/** A configured channel that delivers with this one; to addresses unless it has a target. */
export function configured(
  name: string,
  channel: Channel,
  more: { readonly target?: string; readonly isDefault?: boolean; readonly type?: string } = {},
): ConfiguredChannel {
  const { target, isDefault = false, type = "file" } = more;
  const opener = { target, open: async () => channel };
  return { name, type, isDefault, opener, secrets: [], faults: [] };
}

/** The channel `email` that writes files. */
export function emailTo(dir: string): ReadonlyMap<string, ConfiguredChannel> {
  return new Map([
    ["email", configured("email", fileChannel({ from: "alarms@example.org", dir }))],
  ]);
}

/** What an event says that was notified by mail at this time, or never. */
export function notified(at: number | undefined, more: Partial<Notices> = {}): Notices {
  return { ...NO_NOTICES, notified: at === undefined ? {} : { email: at }, ...more };
}
