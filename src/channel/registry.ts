import type { SettingsTable, SettingsTables, Surroundings } from "../config/config.ts";
import { showPath } from "../config/issue.ts";
import { chooseKind, type Kinds } from "../config/kinds.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { quote } from "../text/describe.ts";
import type { Opener } from "./channel_type.ts";
import { command } from "./command.ts";
import { file } from "./file.ts";
import { mattermost } from "./mattermost.ts";
import { ses } from "./ses.ts";
import { smtp } from "./smtp.ts";
import { webhook } from "./webhook.ts";

type Types = Kinds<Opener>;

/** Those that deliver to addresses. Only they can be the provider of `[email]`. */
export const MAIL_TYPES: Types = { ses, smtp, file };

/** Every kind of channel, by its `type`. */
export const TYPES: Types = { ...MAIL_TYPES, command, mattermost, webhook };

/** A channel of the configuration. */
export interface ConfiguredChannel {
  readonly name: string;
  readonly type: string;
  /** Whether alarms that name no channels use it. */
  readonly isDefault: boolean;
  /** Undefined if it cannot be used. */
  readonly opener: Opener | undefined;
  /** Texts that no log, record or message may show, even if it cannot be used. */
  readonly secrets: readonly string[];
  /** What is wrong with its settings, each with its path and what to write. */
  readonly faults: readonly string[];
}

/** The channels of the configuration, by name. */
export function readChannels(
  { tables, around }: SettingsTables,
  types = TYPES,
): ReadonlyMap<string, ConfiguredChannel> {
  return new Map(
    [...tables].map(([name, table]) => [name, readChannel(name, table, around, types)]),
  );
}

/** What is wrong with the settings of a channel. */
export function channelFaults(table: SettingsTable, around: Surroundings): readonly string[] {
  return readChannel("", table, around, TYPES).faults;
}

function readChannel(
  name: string,
  { path, settings }: SettingsTable,
  around: Surroundings,
  all: Types,
): ConfiguredChannel {
  const { type: given, default: isDefault = false, ...rest } = settings;
  const isEmail = path[0] === EMAIL;
  const [types, key] = isEmail ? [MAIL_TYPES, "provider"] : [all, "type"];
  const faults: string[] = [];
  if (typeof isDefault !== "boolean")
    faults.push(
      `${showPath([...path, "default"])}: must be true or false; found ${quote(isDefault)}`,
    );
  const choice = { key, given, common: [key, "default", ...(isEmail ? ["operators"] : [])] };
  const { name: type, kind, own } = chooseKind(types, choice, { path, settings: rest }, faults);
  const opener = kind?.configure(own, { path, around, faults });
  return {
    name,
    type,
    isDefault: isDefault === true,
    opener: faults.length > 0 ? undefined : opener,
    secrets: opener?.secrets ?? [],
    faults,
  };
}
