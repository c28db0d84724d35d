import type { ChannelTable, ChannelTables, Surroundings } from "../config/config.ts";
import { showPath } from "../config/issue.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { quote } from "../text/describe.ts";
import { hint, suggestion } from "../text/nearest.ts";
import type { ChannelType, Opener } from "./channel_type.ts";
import { command } from "./command.ts";
import { file } from "./file.ts";
import { mattermost } from "./mattermost.ts";
import { ses } from "./ses.ts";
import { smtp } from "./smtp.ts";
import { webhook } from "./webhook.ts";

interface Types {
  readonly [type: string]: ChannelType;
}

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
  { tables, around }: ChannelTables,
  types = TYPES,
): ReadonlyMap<string, ConfiguredChannel> {
  return new Map(
    [...tables].map(([name, table]) => [name, readChannel(name, table, around, types)]),
  );
}

/** What is wrong with the settings of a channel. */
export function channelFaults(table: ChannelTable, around: Surroundings): readonly string[] {
  return readChannel("", table, around, TYPES).faults;
}

function readChannel(
  name: string,
  { path, settings }: ChannelTable,
  around: Surroundings,
  all: Types,
): ConfiguredChannel {
  const { type: given, default: isDefault = false, ...rest } = settings;
  const isEmail = path[0] === EMAIL;
  const [types, typeKey] = isEmail ? [MAIL_TYPES, "provider"] : [all, "type"];
  const type = typeof given === "string" ? given : "";
  const kind = Object.hasOwn(types, type) ? types[type] : undefined;
  const faults: string[] = [];
  const at = (key: string): string => showPath([...path, key]);
  if (typeof isDefault !== "boolean")
    faults.push(`${at("default")}: must be true or false; found ${quote(isDefault)}`);
  if (kind === undefined) faults.push(`${at(typeKey)}: ${typeFault(given, Object.keys(types))}`);
  // What the other keys belong to is known only with the type.
  const foreign = Object.keys(rest).filter((key) => kind && !kind.keys.includes(key));
  const common = [typeKey, "default", ...(isEmail ? ["operators"] : [])];
  for (const key of foreign) {
    const others = Object.keys(types).filter((other) => types[other]?.keys.includes(key));
    const owners = others.map(quote).join(" or ");
    const fault =
      others.length === 0
        ? `unknown key${hint(key, [...(kind?.keys ?? []), ...common])}`
        : `belongs to ${typeKey} ${owners}, found with "${type}"; remove one`;
    faults.push(`${at(key)}: ${fault}`);
  }
  const own = Object.fromEntries(Object.entries(rest).filter(([key]) => !foreign.includes(key)));
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

function typeFault(given: unknown, types: readonly string[]): string {
  const words = `must be one of ${types.map(quote).join(", ")}`;
  if (given === undefined) return `missing; ${words}`;
  const near = typeof given === "string" ? suggestion(given, types) : "";
  return `${words}; found ${quote(given)}${near}`;
}
