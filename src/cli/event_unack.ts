import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { ackAt } from "../core/ack.ts";
import { endAcknowledgement } from "../store/acknowledgements.ts";
import type { Database } from "../store/database.ts";
import { utcMinute } from "../text/utc.ts";
import { NotFound } from "./alarms.ts";
import { actor, addByOption, addEventArguments, type ByOption } from "./event_options.ts";
import { alarmOf, findFiring, showEvent } from "./events.ts";
import { printLines } from "./output.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addEventArguments(command).description(
    "Ends the acknowledgement of an event: the next tick notifies what it held, and reminders begin anew.",
  );
  addByOption(command).action(
    async (alarm: string, key: string, options: ConfigOption & ByOption) => {
      const work = async (db: Database, config: Config): Promise<string> => {
        const event = await findFiring(db, config, alarm, key);
        const now = Date.now() / 1000;
        const ack = ackAt(event.notices.ack, now);
        const name = showEvent(event);
        if (ack === undefined)
          throw new NotFound(
            `${name} is not acknowledged; to acknowledge it run: bin/swf-alarms event ack`,
          );
        if (ack.ended !== undefined)
          throw new NotFound(
            `${name} is not acknowledged any more: the acknowledgement by ${ack.by} ended at ${utcMinute(ack.ended.at)}: ${ack.ended.reason}`,
          );
        const by = actor(options);
        if (!(await db.transaction((tx) => endAcknowledgement(tx, event.id, ack, by, now))))
          throw new NotFound(
            `${name} has changed meanwhile; see: bin/swf-alarms event show ${event.alarm} KEY`,
          );
        const { enabled } = (await alarmOf(db, config, event.alarm)).row;
        const then = enabled
          ? "the next tick notifies what it held, and reminders begin anew"
          : "nothing is sent, because the alarm's notifications are off";
        return `ended the acknowledgement of ${name} by ${ack.by}: ${then}`;
      };
      printLines([await withDatabase(readConfig(options), work, "write")]);
    },
  );
}
