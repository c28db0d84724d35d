import type { Channel } from "../../src/channel/channel.ts";
import type { ChannelType, Opener } from "../../src/channel/channel_type.ts";
import type { Surroundings } from "../../src/config/config.ts";
import { BARE } from "./login.ts";

/** The settings of `[channels.chat]`, read by the type. */
export function configureChannel(
  type: ChannelType,
  settings: object,
  around: Partial<Surroundings> = {},
): { readonly opener: Opener | undefined; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const place = {
    path: ["channels", "chat"],
    around: { ...BARE, channelFaults: () => [], ...around },
    faults,
  };
  return { opener: type.configure(settings, place), faults };
}

/** A channel with these settings; fails the test where they have faults. */
export async function openChannel(
  type: ChannelType,
  settings: object,
  around: Partial<Surroundings> = {},
): Promise<Channel> {
  const { opener, faults } = configureChannel(type, settings, around);
  if (opener === undefined) throw new Error(faults.join("\n"));
  return await opener.open(() => {});
}
