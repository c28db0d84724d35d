import type { Command } from "commander";
import { eventFacts, heldFacts } from "./event_facts.ts";
import { addEventArguments } from "./event_options.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { explain } from "./explain.ts";
import { notificationFacts } from "./notifications.ts";
import { addJsonOption, type JsonOption, jsonTime, print } from "./output.ts";
import { pendingFacts } from "./pending.ts";
import { namedAs, renderWhy, type WhyAnswer } from "./render_why.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { channelFacts } from "./verdict_facts.ts";

export function declare(command: Command, setExit: SetExit): void {
  addJsonOption(
    addEventArguments(command).description(
      "Shows the state of what an alarm detects under a key, the reason for it, who was notified, and what holds notifications back. The exit code is 1 if nothing is on record of it.",
    ),
  ).action(async (alarm: string, key: string, options: ConfigOption & JsonOption) => {
    const { answer, enabled } = await withDatabase(readConfig(options), (db, config) =>
      explain(db, config, alarm, key),
    );
    print(options, jsonFacts(answer, enabled), renderWhy(answer));
    setExit(answer.state === "unknown" ? EXIT.failed : EXIT.ok);
  });
}

function jsonFacts(answer: WhyAnswer, enabled: boolean) {
  const { alarm, key, state, reason, events, pending, channels, notifications, now } = answer;
  return {
    alarm,
    key,
    state,
    reason,
    events: events.map((event) => eventFacts(event, { enabled, now })),
    pending: pending && pendingFacts(pending),
    notifications: notifications.map((item) => {
      return { ...notificationFacts(item), named_as: namedAs(item, events) };
    }),
    channels: channels.map(channelFacts),
    muted: answer.muted && heldFacts(answer.muted),
    next_reminder: jsonTime(answer.nextReminder),
  };
}
