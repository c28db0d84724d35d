import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { ackInForce } from "../core/ack.ts";
import { notifiedAt } from "../core/news.ts";
import { acknowledge } from "../store/acknowledgements.ts";
import type { Database } from "../store/database.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound } from "./alarms.ts";
import {
  actor,
  addByOption,
  addEventArguments,
  addReasonOption,
  type ByOption,
  type ReasonOption,
  reasonOf,
} from "./event_options.ts";
import { alarmOf, findFiring, showEvent } from "./events.ts";
import { printLines } from "./output.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { addUntilOptions, type UntilOptions, untilOf } from "./until_option.ts";

interface AckOptions extends ConfigOption, UntilOptions, ByOption, ReasonOption {
  readonly sticky?: true;
}

export function declare(command: Command): void {
  addEventArguments(command).description(
    "Acknowledges an event: its updates and reminders are held until it clears, until the time given, or until its severity or stage rises.",
  );
  addUntilOptions(addReasonOption(command, "why, for others to read")).option(
    "--sticky",
    "hold them also if its severity or stage rises",
  );
  addByOption(command).action(async (alarm: string, key: string, options: AckOptions) => {
    const work = async (db: Database, config: Config): Promise<readonly string[]> => {
      const event = await findFiring(db, config, alarm, key);
      const now = Date.now() / 1000;
      const { sticky = false } = options;
      const ack = {
        by: actor(options),
        reason: reasonOf(options),
        at: now,
        until: untilOf(options),
        sticky,
      };
      if (!(await db.transaction((tx) => acknowledge(tx, event.id, ack, now))))
        throw new NotFound(`${showEvent(event)} cleared meanwhile`);
      const { row } = await alarmOf(db, config, event.alarm);
      const first = row.enabled
        ? row.channels.filter((name) => notifiedAt(event, name) === undefined)
        : [];
      return [heldLine(event, ack), ...replacedLine(event, now), ...firstLine(first)];
    };
    printLines(await withDatabase(readConfig(options), work, "write"));
  });
}

function heldLine(
  event: ListedEvent,
  { until, sticky }: { readonly until: number | undefined; readonly sticky: boolean },
): string {
  const end = until === undefined ? "until it clears" : `until ${utcMinute(until)}`;
  const rise = sticky
    ? ", also if its severity or stage rises"
    : "; it ends if its severity or stage rises (--sticky keeps it)";
  return `acknowledged ${showEvent(event)} ${end}: updates and reminders are held${rise}`;
}

function replacedLine({ notices }: ListedEvent, now: number): string[] {
  const before = ackInForce(notices.ack, now);
  return before ? [`it replaces the acknowledgement by ${before.by}: ${before.reason}`] : [];
}

function firstLine(channels: readonly string[]): string[] {
  if (channels.length === 0) return [];
  return [`not held: the first notification on ${channels.join(", ")}, which is not delivered yet`];
}
