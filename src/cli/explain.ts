import type { Config } from "../config/config.ts";
import type { AlarmRow } from "../core/model.ts";
import { NO_CHANGES, type Plan } from "../core/reconcile.ts";
import { statedClears } from "../engine/stopped_alarms.ts";
import type { Database } from "../store/database.ts";
import { lastRunOf } from "../store/engine_runs.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { readData } from "../store/entry.ts";
import type { ListedEvent } from "../store/event_list.ts";
import { listNotifications } from "../store/notification_list.ts";
import type { ChannelVerdict } from "./channel_verdict.ts";
import { alarmOf, alarmOfEvents, entityEvents, nearKeys } from "./events.ts";
import { pendingDetections } from "./pending.ts";
import { planNotices } from "./plan_notices.ts";
import type { WhyAnswer } from "./render_why.ts";
import { type LastLook, whyFacts } from "./why_facts.ts";

/** Events of the entity, and notifications that name them. */
const MOST = 20;

/** What is on record of an entity, and what it means now. Writes nothing. Throws NotFound. */
export async function explain(db: Database, config: Config, typed: string, key: string) {
  const now = Date.now() / 1000;
  const name = await alarmOfEvents(db, config, typed);
  const { row: alarm, stopped } = await alarmOf(db, config, name);
  const states = await readStates(db);
  const settling = settlingOf(states, name);
  const events = await entityEvents(db, name, key, MOST);
  const pending = pendingDetections(states, [alarm], now).find((each) => each.key === key);
  const lastLook = lookOf(await lastRunOf(db, alarm.entryId, now), key);
  const isSeen = (events[0]?.lastSeen ?? 0) >= (lastLook?.at ?? 0);
  // Ticks pass over it until it is configured.
  const idle =
    lastLook?.outcome === "not configured"
      ? `the alarm is not configured: ${lastLook.error}`
      : undefined;
  const channels = await nextNotices(events[0], { db, config, alarm, key, isSeen, idle, now });
  const facts = whyFacts({
    alarm,
    stopped,
    events,
    pending,
    clearing: settling.clearing.get(key),
    lastLook,
    channels,
    now,
  });
  const filter = { alarm: undefined, events, states: undefined, limit: MOST };
  const notifications = events.length === 0 ? [] : await listNotifications(db, filter);
  const isUnknown = facts.state === "unknown";
  const near = isUnknown ? await nearKeys(db, name, key, settling.pending.keys()) : "";
  const answer: WhyAnswer = {
    ...facts,
    reason: facts.reason + near,
    alarm: name,
    key,
    events,
    pending: facts.state === "pending" ? pending : undefined,
    channels,
    notifications,
    now,
  };
  return { answer, enabled: alarm.enabled };
}

interface NextFacts {
  readonly db: Database;
  readonly config: Config;
  readonly alarm: AlarmRow;
  readonly key: string;
  /** Whether the last tick detected it. */
  readonly isSeen: boolean;
  readonly idle: string | undefined;
  readonly now: number;
}

/** What the next tick says of an event if it detects what the last one did. */
async function nextNotices(
  newest: ListedEvent | undefined,
  { isSeen, ...facts }: NextFacts,
): Promise<readonly ChannelVerdict[]> {
  if (newest === undefined) return [];
  const event = { ...newest, fireTime: newest.fireTime ?? 0 };
  const isOver = newest.clearTime !== undefined;
  const seen: Plan = { ...NO_CHANGES, touch: [{ event, reason: "still detected" }] };
  const unseen: Plan = { ...NO_CHANGES, keep: [{ event, reason: "not looked at in this tick" }] };
  const plan = isOver ? NO_CHANGES : isSeen ? seen : unseen;
  const recorded = { outcome: statedClears(new Map()), plan, opened: [], error: undefined };
  const judged = await planNotices({ ...facts, recorded, cleared: isOver ? event : undefined });
  return isOver ? judged.filter(({ channel }) => newest.unsent.includes(channel)) : judged;
}

function lookOf(last: Awaited<ReturnType<typeof lastRunOf>>, key: string): LastLook | undefined {
  if (last === undefined) return undefined;
  const { startedAt: at, record } = last;
  const missing = record.text("not_configured");
  if (missing !== undefined) return { at, outcome: "not configured", error: missing };
  const outcome = record.text("outcome");
  const isDoubtful = outcome === "partial" || outcome === "failed";
  const error = record.text("error_message") ?? "";
  const scope = record
    .array("scopes")
    .map(readData)
    .find((each) => {
      const prefix = each.text("prefix");
      return prefix !== undefined && key.startsWith(prefix);
    });
  // A record without an outcome is one of a tick that changed nothing.
  return { at, outcome: isDoubtful ? outcome : "complete", error, unseen: scope?.text("reason") };
}
