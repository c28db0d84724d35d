import { cut } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { duration, utcMinute } from "../text/utc.ts";
import type { AlarmFacts } from "./engine_facts.ts";
import type { Missed } from "./missed_ticks.ts";
import { mailbox } from "./recipients.ts";
import type { SourceState } from "./source_state.ts";

/** The texts of the alarm `engine`: the subject says what is wrong, the body what it means and what to do. */
export interface Texts {
  readonly subject: string;
  readonly body: string;
}

/**
 * A mail's subject of 120 characters has room for 68 after the counts. A message shows the first 2,000 characters of a
 * body, a chat 500: what to do must be among them.
 */
const LIMITS = { subject: 68, error: 300, errors: 5, names: 50 };

export function unreachableTexts(
  name: string,
  { since, cause }: SourceState,
  affected: readonly string[],
): Texts {
  return texts(`source ${name} unreachable since ${utcMinute(since)}`, [
    `Every request to the source ${name} has failed since ${utcMinute(since)}.`,
    "The alarms that need it cannot see anything. Until it responds, their events do not clear.",
    "Check the service and the network between it and this host.",
    `Last error: ${cut(cause, LIMITS.error)}`,
    ...(affected.length === 0 ? [] : [`Affected alarms: ${list(affected)}`]),
  ]);
}

export function quarantineTexts(
  { name, title }: AlarmFacts,
  { since, failures, cause, next }: NonNullable<AlarmFacts["quarantine"]>,
): Texts {
  const failed = failures === 1 ? "once" : `${failures} times in a row`;
  return texts(`alarm ${name} is quarantined: it failed ${failed}`, [
    `The alarm "${title}" (${name}) has failed ${failed} because of its own errors. It has been quarantined since ${utcMinute(since)}.`,
    "While it does not run, its events neither open nor clear.",
    `The engine tries it again at growing intervals of at most six hours: ${next}. It is tried at once when its module file or its row changes, or with: bin/swf-alarms run --alarm ${name}`,
    `Last error: ${cut(cause, LIMITS.error)}`,
  ]);
}

export function failingTexts({ name, title, errors }: AlarmFacts, ticks: number): Texts {
  return texts(`alarm ${name} fails: ${errors[0]}`, [
    `The alarm "${title}" (${name}) has had errors in at least ${ticks} ticks in a row.`,
    "Until this is corrected, it may miss what it watches, and its events may not clear.",
    `After a correction, try it with: bin/swf-alarms alarm try ${name}`,
    lines(errors),
  ]);
}

export function channelTexts(name: string, error: string, ticks: number): Texts {
  return texts(`channel ${name} does not deliver: ${error}`, [
    `The channel ${name} has failed in at least ${ticks} ticks in a row.`,
    "The engine tries again in every tick, a notification for 24 hours. Other channels are not affected.",
    `After a correction, send a test message with: bin/swf-alarms channel test ${name}`,
    `Last error: ${cut(error, LIMITS.error)}`,
  ]);
}

/** An address that was refused, or a text that is not an address. */
export function recipientTexts(
  address: string,
  reasons: readonly string[],
  alarms: readonly string[],
): Texts {
  const isAddress = mailbox(address) !== undefined;
  const [reason = ""] = reasons;
  const subject = isAddress
    ? `address ${address} is refused: ${reason}`
    : `a recipient of ${list(alarms, 3)} is wrong: ${reason}`;
  return texts(subject, [
    isAddress
      ? `Notifications to ${address} are refused. Other recipients are not affected.`
      : "Nothing is sent to this recipient. Others are not affected.",
    "Correct or remove it in the alarm's recipients (bin/swf-alarms alarm set NAME --recipients …), in its team (bin/swf-alarms team set @NAME …), or for the alarm engine in the operators of [email].",
    `Recipient of: ${list(alarms)}`,
    lines(reasons),
  ]);
}

export function crashedTexts(starts: readonly number[]): Texts {
  const times = list(starts.toSorted((a, b) => a - b).map(utcMinute));
  const subject =
    starts.length === 1
      ? `a tick crashed: the one of ${times} did not finish`
      : `${starts.length} ticks crashed, the last one that of ${utcMinute(Math.max(...starts))}`;
  return texts(subject, [
    "The engine was killed, ran out of memory, or its host or its database stopped. What was recorded is kept. A notification may be sent twice; none is lost.",
    "If it happens again, look for the reason in the engine's log and in the log of the system.",
    `Ticks that did not finish: ${times}.`,
  ]);
}

export function missedTexts({ since, ticks }: Missed, now: number): Texts {
  const missed = ticks === 1 ? "1 tick was missed" : `${ticks} ticks were missed`;
  const gap = `between ${utcMinute(since)} and ${utcMinute(now)}`;
  return texts(`${missed} after ${utcMinute(since)}: check that cron runs`, [
    `No tick started for ${duration(now - since)}, ${gap}. By the schedule of the ticks before, ${missed}.`,
    "What happened and ended in that time was not seen.",
    "Check that this host was up, that cron runs, and that its line for bin/swf-alarms run is in place.",
  ]);
}

function texts(subject: string, paragraphs: readonly string[]): Texts {
  return { subject: cut(headerText(subject), LIMITS.subject), body: paragraphs.join("\n\n") };
}

function lines(errors: readonly string[]): string {
  const shown = errors.slice(0, LIMITS.errors).map((error) => `- ${cut(error, LIMITS.error)}`);
  const more = errors.length - shown.length;
  return [...shown, ...(more > 0 ? [`- and ${more} more`] : [])].join("\n");
}

function list(names: readonly string[], limit = LIMITS.names): string {
  const more = names.length - limit;
  return `${names.slice(0, limit).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
