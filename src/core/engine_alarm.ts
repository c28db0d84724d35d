import { cut } from "../text/describe.ts";
import type { AlarmFacts, EngineFacts } from "./engine_facts.ts";
import {
  channelTexts,
  crashedTexts,
  failingTexts,
  missedTexts,
  quarantineTexts,
  recipientTexts,
  type Texts,
  unreachableTexts,
} from "./engine_texts.ts";
import { missedTicks } from "./missed_ticks.ts";
import { mailbox } from "./recipients.ts";
import type { SettleRule } from "./settle.ts";
import { affectedAlarms, isCausedBySources } from "./source_state.ts";

/** Something that is wrong now; `settle` is how long it must last to be a detection. */
export interface Observation extends Texts {
  readonly settle: SettleRule;
  /** Recipients besides those of the alarm `engine`, as written. */
  readonly recipients: readonly string[];
}

const AT_ONCE = 1;
const FAILING_TICKS = 3;
const CHANNEL_TICKS = 2;
const MAX_NAME = 400;

/** What is wrong now, by dedupe key. */
export function observeEngine(facts: EngineFacts): ReadonlyMap<string, Observation> {
  const { now, alarms } = facts;
  const observed = new Map<string, Observation>();
  const add = (key: string, texts: Texts, ticks = AT_ONCE, recipients: readonly string[] = []) =>
    observed.set(key, { ...texts, settle: { hits: ticks, of: ticks }, recipients });

  const unreachable: string[] = [];
  for (const { name, requested, state } of facts.sources) {
    if (!requested || state === undefined) continue;
    unreachable.push(name);
    const texts = unreachableTexts(name, state, affectedAlarms(name, alarms));
    const settle = { seconds: facts.unreachableAfter, since: state.since };
    observed.set(`source:${name}`, { ...texts, settle, recipients: [] });
  }
  for (const alarm of alarms) {
    const { name, quarantine, recipients } = alarm;
    const key = `alarm:${name}`;
    if (quarantine !== undefined) add(key, quarantineTexts(alarm, quarantine), AT_ONCE, recipients);
    else if (hasOwnErrors(alarm, unreachable))
      add(key, failingTexts(alarm, FAILING_TICKS), FAILING_TICKS, recipients);
  }
  for (const { name, error } of facts.channels)
    if (error !== undefined)
      add(`channel:${name}`, channelTexts(name, error, CHANNEL_TICKS), CHANNEL_TICKS);
  for (const [key, found] of wrongRecipients(facts)) add(key, found, AT_ONCE, found.recipients);
  if (facts.crashed.length > 0) add("tick:crashed", crashedTexts(facts.crashed));
  // While the clock is in doubt, a gap may be a step of the clock.
  const missed = facts.clockDoubt === undefined ? missedTicks(facts.starts, now) : undefined;
  if (missed !== undefined) add("tick:missed", missedTexts(missed, now));
  if (facts.clockDoubt !== undefined)
    add("clock", { subject: "this host's clock is in doubt", body: facts.clockDoubt });
  return observed;
}

/** Whether this tick did not look at a key that it did not observe. */
export function isUnknownToEngine(facts: EngineFacts, key: string): boolean {
  if (!facts.isWhole) return true;
  const [kind = "", name = ""] = key.split(/:(.*)/s);
  const isIt = (each: { readonly name: string }): boolean => each.name === name;
  switch (kind) {
    case "source": {
      // If nothing uses a source, no request will show when its outage ends.
      const source = facts.sources.find(isIt);
      return source?.isUsed === true && !source.requested;
    }
    case "alarm": {
      // Errors that an unreachable source explains say nothing about the alarm itself.
      const alarm = facts.alarms.find(isIt);
      return alarm !== undefined && (!alarm.looked || alarm.errors.length > 0);
    }
    case "channel": {
      const channel = facts.channels.find(isIt);
      return channel !== undefined && !channel.attempted;
    }
    case "recipient":
      // A text that is not an address is found in every tick.
      return mailbox(name) !== undefined && has(facts.current, name) && !has(facts.reached, name);
    case "tick":
      return name === "missed" && facts.clockDoubt !== undefined;
    default:
      return false;
  }
}

function hasOwnErrors(
  { looked, errors, cause }: AlarmFacts,
  unreachable: readonly string[],
): boolean {
  return looked && errors.length > 0 && !isCausedBySources(unreachable, errors, cause);
}

/**
 * Each address once, with the reasons and the recipients of all alarms that have it, without the wrong ones: without
 * only itself, each would go to another set of recipients.
 */
function wrongRecipients({ recipients, alarms }: EngineFacts) {
  const byKey = new Map<string, EngineFacts["recipients"]>();
  for (const each of recipients) {
    const key = recipientKey(each.address);
    byKey.set(key, [...(byKey.get(key) ?? []), each]);
  }
  return [...byKey].map(([key, found]) => {
    const names = new Set(found.map(({ alarm }) => alarm));
    const [{ address = "" } = {}] = found;
    const others = alarms
      .filter(({ name }) => names.has(name))
      .flatMap((alarm) => alarm.recipients)
      .filter((each) => !byKey.has(recipientKey(each)));
    const reasons = [...new Set(found.map(({ reason }) => reason))];
    const texts = recipientTexts(cut(address, MAX_NAME), reasons, [...names].sort());
    return [key, { ...texts, recipients: [...new Set(others)] }] as const;
  });
}

function recipientKey(address: string): string {
  return `recipient:${cut(address.toLowerCase(), MAX_NAME)}`;
}

function has(addresses: ReadonlySet<string>, lower: string): boolean {
  return [...addresses].some((address) => address.toLowerCase() === lower);
}
