import type { InferOutput, ObjectEntries, ObjectSchema } from "valibot";
import type { SettingsPlace } from "../config/config.ts";
import { parseTable } from "../config/issue.ts";
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
export interface ChannelType {
  readonly keys: readonly string[];
  /** Undefined where a setting has the wrong form. After another fault only its secrets are of use. */
  readonly configure: (settings: object, place: SettingsPlace) => Opener | undefined;
}

/** `configure` gets parsed settings; it may add faults. */
export function channelType<Entries extends ObjectEntries>(
  schema: ObjectSchema<Entries, string | undefined>,
  configure: (
    settings: InferOutput<ObjectSchema<Entries, string | undefined>>,
    place: SettingsPlace,
  ) => Opener | undefined,
): ChannelType {
  return {
    keys: Object.keys(schema.entries),
    configure: (settings, place) => {
      const parsed = parseTable(schema, place.path, settings, place.faults);
      return parsed && configure(parsed, place);
    },
  };
}
