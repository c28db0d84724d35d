import { type History, type RanTick, runOf, wasUnstamped } from "./history.ts";

/** How far a tick had come when it died, in order. */
export const PHASES = [
  "before its run was on record",
  "after its run was on record",
  "between its events and a notification",
  "between an attempt on record and its delivery",
  "between a delivery and its stamp",
  "after a stamped delivery",
  "after its run was closed",
] as const;

/** How far a killed tick had come, by what is on record of it. */
export function phaseOf(history: History, tick: RanTick): (typeof PHASES)[number] {
  const run = runOf(history, tick);
  if (run === undefined) return "before its run was on record";
  if (run.finished !== undefined) return "after its run was closed";
  const messages = history.messages.filter((message) => message.tick === tick.number);
  if (messages.some((message) => !message.isLost && wasUnstamped(history, message)))
    return "between a delivery and its stamp";
  const rows = history.notifications.filter(({ runId }) => runId === run.id);
  if (rows.some(({ id }) => messages.every((message) => message.id !== id)))
    return "between an attempt on record and its delivery";
  if (messages.length > 0) return "after a stamped delivery";
  const wrote = history.events.some((event) => [event.fired, event.cleared].includes(run.started));
  return wrote ? "between its events and a notification" : "after its run was on record";
}
