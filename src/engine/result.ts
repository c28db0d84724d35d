import type { Alarm } from "../alarm/load_alarms.ts";
import { bundleSubject } from "../core/bundle.ts";
import { heldReason } from "../core/clear_guard.ts";
import type { AlarmRow, Mode, Outcome } from "../core/model.ts";
import type { Notice } from "../core/notice.ts";
import type { ResolvedRecipients } from "../core/recipients.ts";
import type { Plan } from "../core/reconcile.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import type { NotifyResult } from "./notify.ts";

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
  /** False where the module could not be loaded or the set-up was wrong, so that `detect` never ran. */
  readonly started: boolean;
  readonly params: JsonObject;
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** By dedupe key, of what a plan would open; empty where it was written. */
  readonly subjects: ReadonlyMap<string, string>;
  readonly notice: Notice;
  readonly subject: string;
  readonly recipients: readonly string[];
  readonly sent: boolean;
  /** Undefined while the alarm is not quarantined. */
  readonly quarantine?: QuarantineRecord | undefined;
  /** Whether its owners got a mail about its quarantine. */
  readonly announced?: boolean;
  /** What went wrong, each in words for the person who can mend it. */
  readonly errors: readonly string[];
  /** What is worth knowing and no error. */
  readonly notes: readonly string[];
}

/** What the record says of a quarantined alarm. */
export interface QuarantineRecord {
  /** Whether this tick left it out; otherwise it was tried. */
  readonly leftOut: boolean;
  /** Epoch seconds. */
  readonly since: number;
  readonly failures: number;
  readonly nextTryInTicks: number;
  readonly cause: string;
}

export interface RanFacts {
  readonly alarm: Alarm;
  readonly outcome: Outcome;
  readonly plan: Plan;
  readonly notice: Notice;
  readonly recipients: ResolvedRecipients;
  readonly delivery: NotifyResult;
  readonly mode: Mode;
}

/** The result of an alarm that went all the way. */
export function ranResult({
  alarm,
  outcome,
  plan,
  notice,
  recipients,
  delivery,
  mode,
}: RanFacts): RanResult {
  const { row, readiness } = alarm;
  const held = heldReason(plan);
  return {
    kind: "ran",
    row,
    started: readiness.kind === "ready",
    params: readiness.kind === "ready" ? readiness.params : row.params,
    outcome,
    plan,
    subjects: new Map(mode === "plan" ? subjectsOf(plan, outcome) : []),
    notice,
    subject: notice.reason === "nothing to mail" ? "" : bundleSubject(row.entryId, counts(notice)),
    recipients: recipients.addresses,
    sent: delivery.sent,
    errors: [...outcome.reasons, ...row.faults, ...delivery.errors],
    notes: [
      ...(readiness.kind === "ready" ? readiness.notes : []),
      ...(held === undefined ? [] : [held]),
      ...recipients.unresolved.map((team) => `no team ${team}, or it has no members`),
      ...recipients.invalid.map((text) => `${JSON.stringify(text)} is no mail address`),
    ],
  };
}

function subjectsOf(plan: Plan, { detections }: Outcome): readonly [string, string][] {
  return plan.open.map(({ dedupeKey }) => [dedupeKey, detections.get(dedupeKey)?.subject ?? ""]);
}

function counts({ fresh, continuing, cleared }: Notice) {
  return { fresh: fresh.length, continuing: continuing.length, cleared: cleared.length };
}

/** The result of an alarm whose events could not be recorded. */
export function unrecordedResult(
  { row, readiness }: Alarm,
  outcome: Outcome,
  error: unknown,
): RanResult {
  const reason = errorText(error);
  const nothing = { "already mailed": 0, "renotification not due": 0, "not seen this tick": 0 };
  return {
    kind: "ran",
    row,
    started: readiness.kind === "ready",
    params: row.params,
    outcome,
    plan: { open: [], touch: [], clear: [], keep: [] },
    subjects: new Map(),
    notice: {
      send: false,
      reason: "nothing to mail",
      fresh: [],
      continuing: [],
      cleared: [],
      omitted: nothing,
    },
    subject: "",
    recipients: [],
    sent: false,
    errors: [`cannot record this tick: ${reason}`, ...outcome.reasons],
    notes: [],
  };
}

/** Ids of events kept in a run record for each alarm; the notification row keeps them all. */
const MAX_IDS = 1_000;

/**
 * The alarm's entry in `per_alarm`: the contract's keys, and the engine's own after them. Most turns change
 * nothing, and every tick keeps one of each: then it is what dashboards read of every run, and no more.
 */
export function perAlarmRecord(result: AlarmResult): JsonObject {
  const { row } = result;
  const quiet = { enabled: row.enabled, alarms_seen: 0, errors: 0, error_message: "" };
  if (result.kind === "not configured")
    return { ...quiet, not_configured: result.missing.join("; ") };
  const { outcome, plan, notice } = result;
  if (isUnremarkable(result)) return { ...quiet, alarms_seen: outcome.detections.size };
  const ids = (mentions: Notice["fresh"]): string[] =>
    mentions.slice(0, MAX_IDS).map(({ eventId }) => eventId);
  return {
    enabled: row.enabled,
    alarms_seen: outcome.detections.size,
    errors: result.errors.length > 0 ? 1 : 0,
    // A reason for silence is shown where the dashboard looks, without counting as an error.
    error_message: [...result.errors, ...silence(notice, result.notes)].join("; "),
    bundle_new: notice.fresh.length,
    bundle_renotify: notice.continuing.length,
    bundle_sent: result.sent,
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
    mail: notice.reason,
    notes: [...result.notes],
    seconds: Math.round(outcome.seconds * 1000) / 1000,
    ...(result.quarantine === undefined ? {} : { quarantine: quarantineEntry(result.quarantine) }),
  };
}

function quarantineEntry({ since, failures, nextTryInTicks, cause }: QuarantineRecord): JsonObject {
  return { since, failures, next_try_in_ticks: nextTryInTicks, cause };
}

/** Whether nothing came of the alarm's turn but that its events still fire. */
function isUnremarkable({ outcome, plan, notice, errors, notes, ...result }: RanResult): boolean {
  const changed = plan.open.length + plan.clear.length + plan.keep.length;
  return (
    outcome.status === "complete" &&
    changed + errors.length + notes.length === 0 &&
    isOldNews(notice) &&
    result.quarantine === undefined
  );
}

/** What is owed while mail is off is no news at any tick but the first. */
function isOldNews({ reason, fresh, cleared }: Notice): boolean {
  if (reason === "nothing to mail") return true;
  return reason === "mail is off" && fresh.length + cleared.length === 0;
}

function silence(notice: Notice, notes: readonly string[]): readonly string[] {
  switch (notice.reason) {
    case "no recipients":
      return ["no recipients; mail not sent", ...notes];
    case "mail is not configured":
      return ["[email] is not configured; mail not sent"];
    default:
      return [];
  }
}
