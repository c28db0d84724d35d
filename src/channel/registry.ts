import { boolean, safeParse } from "valibot";
import type { ChannelTable } from "../config/channels.ts";
import type { ChannelTables, Surroundings } from "../config/config.ts";
import { showPath } from "../config/issue.ts";
import { quote } from "../text/describe.ts";
import { suggestion } from "../text/nearest.ts";
import type { ChannelType, Opener } from "./channel_type.ts";
import { file } from "./file.ts";
import { ses } from "./ses.ts";
import { smtp } from "./smtp.ts";

/** Every kind of channel, by its `type`. */
const TYPES: { readonly [type: string]: ChannelType } = { ses, smtp, file };

/** A channel of the configuration. */
export interface ConfiguredChannel {
  readonly name: string;
  readonly type: string;
  /** Whether alarms that name no channels use it. */
  readonly isDefault: boolean;
  /** Undefined if it cannot be used. */
  readonly opener: Opener | undefined;
  /** What is wrong with its settings, each with its path and what to write. */
  readonly faults: readonly string[];
}

/** The channels of the configuration, by name. */
export function readChannels({
  tables,
  around,
}: ChannelTables): ReadonlyMap<string, ConfiguredChannel> {
  return new Map([...tables].map(([name, table]) => [name, readChannel(name, table, around)]));
}

/** What is wrong with the settings of a channel. */
export function channelFaults(table: ChannelTable, around: Surroundings): readonly string[] {
  return readChannel("", table, around).faults;
}

function readChannel(
  name: string,
  { path, settings }: ChannelTable,
  around: Surroundings,
): ConfiguredChannel {
  const { type: given, default: isDefault = false, ...rest } = settings;
  const faults: string[] = [];
  const at = (key: string): string => showPath([...path, key]);
  if (!safeParse(boolean(), isDefault).success)
    faults.push(`${at("default")}: must be true or false; found ${quote(isDefault)}`);
  const type = typeof given === "string" ? given : "";
  const kind = Object.hasOwn(TYPES, type) ? TYPES[type] : undefined;
  if (kind === undefined) {
    const types = Object.keys(TYPES);
    const words = types.map((known) => `"${known}"`).join(", ");
    const found = given === undefined ? "missing; " : "";
    const end = given === undefined ? "" : `; found ${quote(given)}${suggestion(type, types)}`;
    // The table [email] calls it so.
    const key = path.length === 1 ? "provider" : "type";
    faults.push(`${at(key)}: ${found}must be one of ${words}${end}`);
  }
  const others = Object.entries(TYPES);
  const misplaced = Object.keys(rest).flatMap((key) => {
    const [other] = others.find(([, { keys }]) => keys.includes(key)) ?? [];
    return kind === undefined || kind.keys.includes(key) || other === undefined ? [] : [key];
  });
  for (const key of misplaced)
    faults.push(`${at(key)}: does not belong to a channel of type "${type}"; remove it`);
  const own = Object.fromEntries(Object.entries(rest).filter(([key]) => !misplaced.includes(key)));
  const opener = kind?.configure(own, { path, around, faults });
  return {
    name,
    type,
    isDefault: isDefault === true,
    opener: faults.length > 0 ? undefined : opener,
    faults,
  };
}
