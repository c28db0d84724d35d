import { effectiveLevel, NO_LEVEL } from "../core/level.ts";
import type { Route } from "../core/route.ts";
import { composeMessage } from "../engine/compose.ts";
import type { ChannelNotice } from "../engine/notify.ts";
import type { Recorded } from "../engine/record.ts";
import { heldMessage } from "./channel_verdict.ts";
import { channelState } from "./channels.ts";
import { type PlanNotifyFacts, planNotify } from "./plan_notify.ts";

/** What a tick would send on a channel, or would if nothing held it. */
export interface PlannedMessage {
  readonly channel: string;
  /** Why it is not sent; empty if it is. */
  readonly held: readonly string[];
  /** Addresses, or the target of the channel. */
  readonly to: readonly string[];
  /** As a tick composes it; undefined if there is nothing to say. */
  readonly message: { readonly subject: string; readonly text: string } | undefined;
}

/**
 * The messages of an alarm on each of its channels, as a tick composes them. Where all that is detected has to settle
 * first, those that follow then. Writes and sends nothing.
 */
export async function planMessages(facts: PlanNotifyFacts): Promise<readonly PlannedMessage[]> {
  const { recorded } = facts;
  const now = await messagesOf(facts);
  const [waiting] = recorded.plan.wait;
  if (waiting === undefined || now.some(({ message }) => message !== undefined)) return now;
  const settled = await messagesOf({ ...facts, recorded: whenSettled(facts) });
  const wait = `its detections do not fire yet: ${waiting.reason}`;
  return settled.map((each) => ({ ...each, held: [wait, ...each.held] }));
}

/** As if all that is detected fired now. */
function whenSettled({ recorded, alarm }: PlanNotifyFacts): Recorded {
  const { plan, outcome } = recorded;
  const opened = plan.wait.map(({ dedupeKey }) => ({
    id: dedupeKey,
    dedupeKey,
    recipients: outcome.detections.get(dedupeKey)?.recipients ?? [],
    level: effectiveLevel(outcome.levels.get(dedupeKey) ?? NO_LEVEL, alarm.severity),
  }));
  return { ...recorded, opened };
}

async function messagesOf(facts: PlanNotifyFacts): Promise<readonly PlannedMessage[]> {
  const { db, alarm, recorded, now } = facts;
  const { channels, queues, notices } = await planNotify(facts);
  const ofChannels = notices.map(async (notice): Promise<readonly PlannedMessage[]> => {
    const { channel, usable } = notice;
    const routes = routesOf(notice, alarm.enabled);
    if (routes.length === 0)
      return [{ channel, held: [whyNothing(notice)], to: [], message: undefined }];
    const { faults } = channelState(channel, channels);
    const closedUntil = queues.get(channel)?.closed?.notBefore;
    const messages = routes.map(async (route): Promise<PlannedMessage> => {
      const { recipients } = route;
      const composing = { db, channel, now };
      const { message } = await composeMessage(alarm, recorded.outcome, route, composing);
      const held = heldMessage({ alarm, usable, faults, closedUntil, recipients });
      return { channel, held, to: recipients, message };
    });
    return await Promise.all(messages);
  });
  return (await Promise.all(ofChannels)).flat();
}

/** In place of recipients, where there are none. */
const PLACEHOLDER = ["ADDRESS@HOST"];

/** What a tick composes, and what it would compose if the alarm notified, and had recipients. */
function routesOf({ planned, usable }: ChannelNotice, enabled: boolean): readonly Route[] {
  const { routes = [], bundles = [] } = planned ?? {};
  const unaddressed = routes.filter(({ recipients }) => recipients.length === 0);
  const due = enabled && usable === "usable" ? [...bundles, ...unaddressed] : routes;
  return due.map((route) => (route.to.length === 0 ? { ...route, to: PLACEHOLDER } : route));
}

function whyNothing({ planned, omitted }: ChannelNotice): string {
  if (planned !== undefined && planned.routes.length > 0)
    return "notifications that are not delivered yet say it already; see: bin/swf-alarms notification list";
  const counts = Object.entries(omitted).filter(([, count]) => count > 0);
  const why = counts.map(([reason, count]) => `${count} event(s): ${reason}`);
  return ["there is nothing to say", ...why].join("; ");
}
