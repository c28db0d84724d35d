import { type Kind, kindMaker } from "../config/kinds.ts";
import type { Channel } from "./channel.ts";

/** What a channel is, by its settings. */
export interface Opener {
  /** Where it delivers, without secrets, such as `#alarms`; undefined if it delivers to the recipients of the alarms. */
  readonly target: string | undefined;
  /** Texts that no log, record or message may show. */
  readonly secrets?: readonly string[];
  /** Loads what it needs. `note` receives what the log should say. */
  readonly open: (note: (message: string) => void) => Promise<Channel>;
}

/** A kind of channel: its settings, and how it is opened. */
export type ChannelType = Kind<Opener>;

export const channelType = kindMaker<Opener>();
