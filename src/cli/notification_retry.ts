import type { Command } from "commander";
import type { ListedNotification } from "../store/notification_list.ts";
import { reopenNotification } from "../store/notifications.ts";
import { NotFound } from "./alarms.ts";
import { findNotification, isOpen, nextStep, parseId, shortId } from "./notifications.ts";
import { printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

/** `notification retry` writes a time into the row; the next tick does the rest. */
export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<id>", "id of the notification, or its first 8 characters", parseId)
    .description(
      "Lets the next tick attempt a notification that waits, or that was given up; its 24 hours begin again.",
    )
    .action(async (typed: string, options: ConfigOption) => {
      const { id, next } = await withDatabase(
        readConfig(options),
        async (db, config) => {
          const item = await findNotification(db, typed);
          const { id } = item;
          const now = Date.now() / 1000;
          const step = await nextStep(db, config, item, now);
          const fault = step === "it is being sent now" ? step : retryFault(item);
          if (fault !== undefined) throw new NotFound(`cannot retry ${shortId(id)}: ${fault}`);
          await db.transaction((tx) => reopenNotification(tx, id, now));
          return { id, next: await nextStep(db, config, await findNotification(db, id), now) };
        },
        "write",
      );
      printLines([`${shortId(id)} is queued: ${next}`]);
    });
}

/** Why no tick can attempt it again. */
function retryFault(item: ListedNotification): string | undefined {
  const { state, isTest, channel, supersededBy, hasBundle } = item;
  if (isTest) return `it is a test; send another one with: bin/swf-alarms channel test ${channel}`;
  if (state === "superseded")
    return `${supersededBy === undefined ? "another one" : shortId(supersededBy)} replaces it and names all of its events`;
  if (state === "delivered") return "it was delivered";
  if (state === "partial" && !isOpen(item))
    return "it reached all recipients but those that were refused; correct their addresses";
  if (!hasBundle)
    return "its contents are not on record; its active events are in the alarm's next notification";
  return undefined;
}
