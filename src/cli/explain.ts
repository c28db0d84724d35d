import type { Config } from "../config/config.ts";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { NO_CHANGES, type Plan } from "../core/reconcile.ts";
import { statedClears } from "../engine/stopped_alarms.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { lastRunOf } from "../store/engine_runs.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { eventsOf, type ListedEvent, listEvents } from "../store/event_list.ts";
import { listNotifications } from "../store/notification_list.ts";
import { showName } from "../text/describe.ts";
import { nearest } from "../text/nearest.ts";
import type { ChannelVerdict } from "./channel_verdict.ts";
import { alarmOfEvents, alarmRowOf } from "./events.ts";
import { pendingDetections } from "./pending.ts";
import { planNotices } from "./plan_notices.ts";
import type { WhyAnswer } from "./render_why.ts";
import { asActive, type LastLook, whyFacts } from "./why_facts.ts";

/** Events of the entity, and notifications that name them. */
const MOST = 20;
/** Events among which a mistyped key is looked for. */
const COMPARED = 1_000;
const SUGGESTED = 3;

/** What is on record of an entity, and what it means now. Writes nothing. Throws NotFound. */
export async function explain(db: Database, config: Config, typed: string, key: string) {
  const now = Date.now() / 1000;
  const name = (await alarmOfEvents(db, config, typed)) ?? typed;
  const row = await alarmRowOf(db, config, name);
  const isToOperators = name === ENGINE && row.recipients.length === 0;
  const alarm = isToOperators ? { ...row, recipients: config.operators } : row;
  const states = await readStates(db);
  const settling = settlingOf(states, name);
  const isActive = ({ clearTime }: ListedEvent): number => Number(clearTime === undefined);
  const found = await eventsOf(db, name, key, MOST);
  const events = found.toSorted((a, b) => isActive(b) - isActive(a));
  const pending = pendingDetections(states, [alarm], now).find((each) => each.key === key);
  const lastLook = lookOf(await lastRunOf(db, alarm.entryId, now));
  const isSeen = (events[0]?.lastSeen ?? 0) >= (lastLook?.at ?? 0);
  // Ticks pass over it until it is configured.
  const idle =
    lastLook?.outcome === "not configured"
      ? `the alarm is not configured: ${lastLook.error}`
      : undefined;
  const channels = await nextNotices(events[0], { db, config, alarm, key, isSeen, idle, now });
  const facts = whyFacts({
    alarm,
    stopped: await stoppedReason(db, name),
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
  const event = asActive(newest);
  const touch: Plan["touch"] = event && isSeen ? [{ event, reason: "still detected" }] : [];
  const keep: Plan["keep"] =
    event && !isSeen ? [{ event, reason: "not looked at in this tick" }] : [];
  const plan = { ...NO_CHANGES, touch, keep };
  const recorded = { outcome: statedClears(new Map()), plan, opened: [], error: undefined };
  if (event !== undefined) return await planNotices({ ...facts, recorded });
  const cleared = { ...newest, fireTime: newest.fireTime ?? 0 };
  const judged = await planNotices({ ...facts, recorded, cleared });
  return judged.filter(({ channel }) => newest.unsent.includes(channel));
}

/** Why the alarm no longer runs; undefined if it does. */
async function stoppedReason(db: Database, name: string): Promise<string | undefined> {
  const { rows, deleted } = await alarmRows(db);
  const own = rows.filter((row) => row.name === name);
  if (own.some(({ archived }) => !archived)) return undefined;
  if (own.length > 0) return "alarm archived";
  return deleted.some((row) => row.name === name) ? "alarm deleted" : undefined;
}

function lookOf(last: Awaited<ReturnType<typeof lastRunOf>>): LastLook | undefined {
  if (last === undefined) return undefined;
  const { startedAt: at, record } = last;
  const missing = record.text("not_configured");
  if (missing !== undefined) return { at, outcome: "not configured", error: missing };
  const outcome = record.text("outcome");
  const isDoubtful = outcome === "partial" || outcome === "failed";
  const error = record.text("error_message") ?? "";
  // A record without an outcome is one of a tick that changed nothing.
  return { at, outcome: isDoubtful ? outcome : "complete", error };
}

/** Keys that the person may have meant: what contains the text, else the nearest one. */
async function nearKeys(db: Database, alarm: string, typed: string, pending: Iterable<string>) {
  const listed = await listEvents(db, { alarm, all: true, limit: COMPARED });
  const keys = [...new Set([...listed.map(({ dedupeKey }) => dedupeKey), ...pending])];
  const parts = keys.filter((key) => key.toLowerCase().includes(typed.toLowerCase()));
  const near = parts.length > 0 ? parts.slice(0, SUGGESTED) : [nearest(typed, keys)];
  const names = near.flatMap((key) => (key === undefined ? [] : showName(key)));
  return names.length === 0
    ? `; see: bin/swf-alarms event list --all --alarm ${alarm}`
    : ` (did you mean ${names.join(" or ")}?)`;
}
