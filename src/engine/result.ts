import type { Alarm } from "../alarm/load_alarms.ts";
import { EMAIL } from "../core/alarm_channels.ts";
import { bundleSubject } from "../core/bundle.ts";
import { heldClears } from "../core/clear_guard.ts";
import type { Refused } from "../core/delivery.ts";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow, Mode, Outcome } from "../core/model.ts";
import { type DueItem, NO_NOTICE, type Notice } from "../core/notice.ts";
import type { Plan } from "../core/reconcile.ts";
import { scopeErrors, scopeNotes, scopeRecords } from "../core/scopes.ts";
import { headerText } from "../text/escape.ts";
import type { JsonObject } from "../text/json.ts";
import type { ChannelNotice, Notified } from "./notify.ts";
import type { Recorded } from "./record.ts";

/** What a tick did with one alarm. */
export type AlarmResult =
  | RanResult
  | {
      readonly kind: "not configured";
      readonly row: AlarmRow;
      readonly missing: readonly string[];
    };

export interface RanResult {
  readonly kind: "ran";
  readonly row: AlarmRow;
  /** False if `detect` did not run: the module does not load, the row is wrong, or it is quarantined. */
  readonly started: boolean;
  /** Whether it did not run because it is quarantined. */
  readonly isSkipped: boolean;
  /** Whether the time of the whole tick was up when it ended, which is not its own error. */
  readonly outOfTime: boolean;
  readonly params: JsonObject;
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** By dedupe key, of what a plan would open; empty otherwise. */
  readonly subjects: ReadonlyMap<string, string>;
  /** What it had to say on all of its channels together. */
  readonly notice: Notice;
  /** The same for each channel. */
  readonly notices: readonly ChannelNotice[];
  /** The subject in the words of the contract; empty if there is nothing to send. */
  readonly subject: string;
  /** The alarm's addresses. */
  readonly recipients: readonly string[];
  /** Notifications that were delivered. */
  readonly sent: number;
  /** Addresses that a service refused. */
  readonly refused: readonly Refused[];
  /** What the record says about a quarantined alarm; undefined while it is not quarantined. */
  readonly quarantine?: {
    readonly since: number;
    readonly failures: number;
    readonly next_try_in_ticks: number;
    readonly cause: string;
  };
  /** When a quarantined alarm is tried again, in words. */
  readonly nextTry?: string;
  /** What keeps it from looking: its own errors, without those of its notifications. */
  readonly ownErrors: readonly string[];
  /** What went wrong, each with what to do. */
  readonly errors: readonly string[];
  /** What is worth knowing and not an error. */
  readonly notes: readonly string[];
}

export interface RanFacts {
  readonly alarm: Alarm;
  readonly recorded: Recorded;
  readonly notified: Notified;
  readonly recipients: readonly string[];
  readonly outOfTime: boolean;
  readonly mode: Mode;
}

/** The result of an alarm. */
export function ranResult(facts: RanFacts): RanResult {
  const { alarm, recorded, notified, recipients, outOfTime, mode } = facts;
  const { row, readiness } = alarm;
  const { outcome, plan } = recorded;
  const { notices } = notified;
  const notice = together(notices);
  const waiting = notice.omitted["may have been mailed"];
  const isReady = readiness.kind === "ready";
  const [held] = heldClears(plan);
  const ownErrors = [
    ...(recorded.error === undefined ? [] : [recorded.error]),
    ...outcome.reasons,
    ...scopeErrors(outcome.scopes),
    ...row.faults,
  ];
  const ended = notice.cleared.filter(({ reason }) => reason === "cleared").length;
  const counts = {
    fresh: notice.fresh.length,
    continuing: notice.continuing.length,
    already: notice.cleared.length - ended,
    ended,
  };
  return {
    kind: "ran",
    row,
    started: isReady,
    isSkipped: readiness.kind === "quarantined",
    outOfTime,
    params: isReady ? readiness.params : row.params,
    outcome,
    plan,
    subjects: new Map(mode === "plan" ? subjectsOf(plan, outcome) : []),
    notice,
    notices,
    subject: notice.reason === "nothing to mail" ? "" : bundleSubject(row.entryId, counts),
    recipients,
    sent: notices.reduce((sum, { sent }) => sum + sent, 0),
    ownErrors,
    refused: notices.flatMap(({ refused }) => refused),
    errors: [...ownErrors, ...notified.errors].map(headerText),
    notes: [
      ...(isReady ? readiness.notes : []),
      ...(held === undefined ? [] : [held.reason]),
      ...outcome.notes,
      ...scopeNotes(outcome.scopes),
      ...(waiting === 0
        ? []
        : [`${waiting} event(s) may have been mailed; the repeat waits, at most six hours`]),
      ...notified.notes,
    ].map(headerText),
  };
}

/** What an alarm had to say on any of its channels. */
function together(notices: readonly ChannelNotice[]): Notice {
  const [first = NO_NOTICE, ...others] = notices;
  if (others.length === 0) return first;
  const union = (items: (notice: Notice) => readonly DueItem[]): readonly DueItem[] => [
    ...new Map(notices.flatMap(items).map((item) => [item.eventId, item])).values(),
  ];
  return {
    fresh: union(({ fresh }) => fresh),
    continuing: union(({ continuing }) => continuing),
    cleared: union(({ cleared }) => cleared),
    omitted: first.omitted,
    reason: (
      notices.find(({ reason }) => reason === "due") ??
      notices.find(({ reason }) => reason !== "nothing to mail") ??
      first
    ).reason,
  };
}

function subjectsOf(plan: Plan, { detections }: Outcome): readonly [string, string][] {
  return plan.open.map(({ dedupeKey }) => [dedupeKey, detections.get(dedupeKey)?.subject ?? ""]);
}

/** Ids of events in a run record, for each alarm; the notification row has them all. */
const MAX_IDS = 1_000;

/**
 * The alarm's entry in `per_alarm`: the contract's keys, then the engine's own. An alarm that changed nothing
 * gets only what dashboards read of every run, because every tick keeps one entry for each alarm.
 */
export function perAlarmRecord(result: AlarmResult): JsonObject {
  const { row } = result;
  const quiet = { enabled: row.enabled, alarms_seen: 0, errors: 0, error_message: "" };
  if (result.kind === "not configured")
    return { ...quiet, not_configured: headerText(result.missing.join("; ")) };
  const { outcome, plan, notice, quarantine } = result;
  if (changedNothing(result)) return { ...quiet, alarms_seen: outcome.keys.size };
  const ids = (items: Notice["fresh"]): string[] =>
    items.slice(0, MAX_IDS).map(({ eventId }) => eventId);
  return {
    enabled: row.enabled,
    alarms_seen: outcome.keys.size,
    errors: result.errors.length > 0 ? 1 : 0,
    // Dashboards show this text; a reason why a mail was not sent belongs there, but is not an error.
    error_message: [...result.errors, ...whyNotSent(result)].join("; "),
    bundle_new: notice.fresh.length,
    bundle_renotify: notice.continuing.length,
    bundle_sent: result.sent > 0,
    bundle_subject: result.subject,
    bundle_new_event_ids: ids(notice.fresh),
    bundle_renotify_event_ids: ids(notice.continuing),
    bundle_cleared: notice.cleared.length,
    params: result.params,
    recipients: [...result.recipients],
    outcome: outcome.status,
    opened: notice.fresh.length,
    touched: plan.touch.length,
    cleared: plan.clear.length,
    kept: plan.keep.length,
    // Each only where there are such.
    scopes: outcome.scopes.size === 0 ? undefined : scopeRecords(outcome.scopes),
    pending: plan.wait.length || undefined,
    changed: plan.touch.filter(({ change }) => change !== undefined).length || undefined,
    acknowledged: notice.omitted.acknowledged || undefined,
    mail: notice.reason,
    // Those of email alone stand above.
    channels: result.notices.some(({ channel }) => channel !== EMAIL)
      ? Object.fromEntries(result.notices.map(channelRecord))
      : undefined,
    notes: [...result.notes],
    seconds: Math.round(outcome.seconds * 1000) / 1000,
    quarantine,
  };
}

/** Whether it is the built-in alarm with nothing to say, which lists for people leave out. */
export function isQuietEngine(result: AlarmResult): boolean {
  if (result.row.name !== ENGINE || result.kind !== "ran") return false;
  return changedNothing({ ...result, plan: { ...result.plan, wait: [] } });
}

function channelRecord({ channel, reason, sent, ...items }: ChannelNotice) {
  const count = items.fresh.length + items.continuing.length + items.cleared.length;
  return [channel, { mail: reason, events: count, sent }] as const;
}

function changedNothing({ outcome, plan, notice, errors, notes, quarantine }: RanResult): boolean {
  const changes =
    plan.open.length +
    plan.wait.length +
    plan.clear.length +
    plan.keep.length +
    plan.touch.filter(({ change }) => change !== undefined).length;
  // An event that is unsent because mail is off is news in its first tick only.
  const isOld =
    notice.reason === "nothing to mail" ||
    (notice.reason === "mail is off" && notice.fresh.length + notice.cleared.length === 0);
  return (
    outcome.status === "complete" &&
    changes + errors.length + notes.length === 0 &&
    isOld &&
    quarantine === undefined
  );
}

function whyNotSent({ notice }: RanResult): readonly string[] {
  switch (notice.reason) {
    case "no recipients":
      return ["no recipients; mail not sent"];
    case "mail is not configured":
      return ["[email] is not configured; mail not sent"];
    case "the channel cannot be used":
      return ["the settings of the channel are wrong; not sent"];
    default:
      return [];
  }
}
