import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { ENGINE } from "../core/event_key.ts";
import { NO_CHANGES, type Plan } from "../core/reconcile.ts";
import { statedClears } from "../engine/stopped_alarms.ts";
import { alarmRows } from "../store/alarms.ts";
import type { Database } from "../store/database.ts";
import { lastRecordOf } from "../store/engine_runs.ts";
import { readStates, settlingOf } from "../store/engine_state.ts";
import { eventsOf, type ListedEvent, listEvents } from "../store/event_list.ts";
import { listNotifications } from "../store/notification_list.ts";
import { showName } from "../text/describe.ts";
import { nearest } from "../text/nearest.ts";
import { eventFacts } from "./event_facts.ts";
import { addEventArguments } from "./event_options.ts";
import { alarmOfEvents, alarmRowOf } from "./events.ts";
import { EXIT, type SetExit } from "./exit_code.ts";
import { notificationFacts } from "./notifications.ts";
import { addJsonOption, type JsonOption, jsonTime, print } from "./output.ts";
import { pendingDetections } from "./pending.ts";
import { planNotices } from "./plan_notices.ts";
import { namedAs, renderWhy, type WhyAnswer } from "./render_why.ts";
import { type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { channelFacts, heldFacts } from "./verdict_facts.ts";
import { asActive, type LastLook, whyFacts } from "./why_facts.ts";

/** Events of the entity, and notifications that name them. */
const MOST = 20;
/** Events among which a mistyped key is looked for. */
const COMPARED = 1_000;
const SUGGESTED = 3;

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

async function explain(db: Database, config: Config, typed: string, key: string) {
  const now = Date.now() / 1000;
  const name = (await alarmOfEvents(db, config, typed)) ?? typed;
  const row = await alarmRowOf(db, config, name);
  const isToOperators = name === ENGINE && row.recipients.length === 0;
  const alarm = isToOperators ? { ...row, recipients: config.operators } : row;
  const states = await readStates(db);
  const settling = settlingOf(states, name);
  const isActive = ({ clearTime }: ListedEvent): number => Number(clearTime === undefined);
  const events = (await eventsOf(db, name, key, MOST)).toSorted(
    (a, b) => isActive(b) - isActive(a),
  );
  const pending = pendingDetections(states, [alarm], now).find((each) => each.key === key);
  const lastLook = lookOf(await lastRecordOf(db, alarm.entryId, now));
  const [newest] = events;
  const event = newest && asActive(newest);
  const isSeen = (newest?.lastSeen ?? 0) >= (lastLook?.at ?? 0);
  const plan: Plan = {
    ...NO_CHANGES,
    ...(event &&
      (isSeen
        ? { touch: [{ event, reason: "still detected" }] }
        : { keep: [{ event, reason: "not looked at in this tick" }] })),
  };
  const recorded = { outcome: statedClears(new Map()), plan, opened: [], error: undefined };
  const cleared =
    newest && event === undefined ? { ...newest, fireTime: newest.fireTime ?? 0 } : undefined;
  const judged = await planNotices({ db, config, alarm, key, recorded, cleared, now });
  // Of what has cleared, only what some channel still has to hear.
  const channels = judged.filter(
    ({ channel }) => event !== undefined || newest?.unsent.includes(channel) === true,
  );
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
  const near =
    facts.state === "unknown" ? await nearKeys(db, name, key, settling.pending.keys()) : "";
  const reason = facts.reason + near;
  const answer: WhyAnswer = {
    ...facts,
    ...{ reason, alarm: name, key, events, channels, notifications, now },
    pending: facts.state === "pending" ? pending : undefined,
  };
  return { answer, enabled: alarm.enabled };
}

/** Why the alarm no longer runs; undefined if it does. */
async function stoppedReason(db: Database, name: string): Promise<string | undefined> {
  const { rows, deleted } = await alarmRows(db);
  const own = rows.filter((row) => row.name === name);
  if (own.some(({ archived }) => !archived)) return undefined;
  if (own.length > 0) return "alarm archived";
  return deleted.some((row) => row.name === name) ? "alarm deleted" : undefined;
}

function lookOf(last: Awaited<ReturnType<typeof lastRecordOf>>): LastLook | undefined {
  if (last === undefined) return undefined;
  const { at, record } = last;
  const { outcome, not_configured: missing, error_message: error } = record;
  if (typeof missing === "string") return { at, outcome: "not configured", error: missing };
  const isDoubtful = outcome === "partial" || outcome === "failed";
  return {
    at,
    outcome: isDoubtful ? outcome : "complete",
    error: typeof error === "string" ? error : "",
  };
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

function jsonFacts(answer: WhyAnswer, enabled: boolean) {
  const { alarm, key, state, reason, events, pending, channels, notifications, now } = answer;
  return {
    alarm,
    key,
    state,
    reason,
    events: events.map((event) => eventFacts(event, { enabled, now })),
    pending: pending && {
      first_seen: jsonTime(pending.firstSeen),
      seen: pending.seen,
      needed: pending.needed,
      unit: pending.unit,
    },
    notifications: notifications.map((item) => {
      const {
        new_event_ids: _,
        continuing_event_ids: __,
        cleared_event_ids: ___,
        ...facts
      } = notificationFacts(item);
      return { ...facts, named_as: namedAs(item, events) };
    }),
    channels: channels.map(channelFacts),
    muted: answer.muted && heldFacts(answer.muted),
    next_reminder: jsonTime(answer.nextReminder),
  };
}
