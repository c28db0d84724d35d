import type { Announcement } from "../core/announcement.ts";
import { quarantineNotice, sourceNotice } from "../core/announcement.ts";
import { deliveryErrors, judgeDelivery } from "../core/delivery.ts";
import type { Mode, Team } from "../core/model.ts";
import { afterQuarantineNotice, nextAlarmState, nextTry } from "../core/quarantine.ts";
import { resolveRecipients } from "../core/recipients.ts";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
} from "../core/source_state.ts";
import { renderAnnouncement } from "../message/announcement.ts";
import type { Database, Queryable } from "../store/database.ts";
import { closeNotification, openNotification } from "../store/notifications.ts";
import {
  alarmStateOf,
  type States,
  saveAlarmState,
  saveSourceState,
  sourceStateOf,
} from "../store/saved_states.ts";
import { errorText } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";
import type { Mailing } from "./mailing.ts";
import type { Quarantines } from "./quarantines.ts";
import type { AlarmResult, RanResult } from "./result.ts";

/** What the engine stores and mails about itself. */
export interface EngineAlarmFacts {
  readonly db: Database;
  /** What earlier ticks stored. */
  readonly states: States;
  readonly mailing: Mailing;
  readonly mode: Mode;
  readonly runId: string;
  /** Epoch seconds of the tick. */
  readonly now: number;
  /** Epoch seconds at this moment. */
  readonly clock: () => number;
}

/** Updates the quarantine of every alarm that ran. Never throws. */
export async function updateQuarantines(
  results: readonly AlarmResult[],
  quarantines: Quarantines,
  tickEnded: boolean,
  facts: EngineAlarmFacts,
): Promise<readonly AlarmResult[]> {
  const updated: AlarmResult[] = [];
  for (const result of results)
    updated.push(
      result.kind === "ran"
        ? await updateQuarantine(result, quarantines, tickEnded, facts)
        : result,
    );
  return updated;
}

async function updateQuarantine(
  result: RanResult,
  quarantines: Quarantines,
  /** Whether the time of the whole tick was up, which is no alarm's own error. */
  tickEnded: boolean,
  facts: EngineAlarmFacts,
): Promise<RanResult> {
  const { row, outcome } = result;
  const { now } = facts;
  const before = alarmStateOf(facts.states, row.name);
  if (before === undefined && outcome.status !== "failed") return result;
  const decision = quarantines.decide(row);
  const isOwn = outcome.cause === "module" && !tickEnded;
  const after = !decision.run
    ? decision.state
    : nextAlarmState({
        state: before,
        result: outcome.status !== "failed" ? "completed" : isOwn ? "own failure" : "other failure",
        cause: outcome.reasons.join("; "),
        fingerprint: quarantines.fingerprint(row),
        reason: decision.reason,
        now,
        after: quarantines.after,
      });
  const { sent, errors } = await saveAndNotify(facts, {
    of: row.name,
    before,
    after,
    notified: afterQuarantineNotice(after),
    notice: quarantineNotice(row, after),
    recipients: row.enabled ? result.recipients : [],
    save: (db, state) => saveAlarmState(db, row.name, state, now),
  });
  const told = { ...result, announced: sent, errors: [...result.errors, ...errors] };
  const quarantine = after?.quarantine;
  if (after === undefined || quarantine === undefined) {
    const ended = before?.quarantine;
    if (ended === undefined) return told;
    const note = `runs again; it was quarantined since ${utcMinute(ended.since)}`;
    return { ...told, notes: [...told.notes, note] };
  }
  const since = quarantine.since === now ? "now" : `since ${utcMinute(quarantine.since)}`;
  const note = `quarantined ${since}, after ${after.failures} failures in a row; ${nextTry(quarantine)}`;
  return {
    ...told,
    notes: decision.run ? [...told.notes, note] : told.notes,
    quarantine: {
      skipped: !decision.run,
      since: quarantine.since,
      failures: after.failures,
      nextTryInTicks: quarantine.wait,
      cause: after.cause,
    },
  };
}

/** What is wrong with the sources, for the report. */
export interface SourceReport {
  /** Names of the sources to which every request of this tick failed. */
  readonly unreachable: readonly string[];
  /** One line each. */
  readonly errors: readonly string[];
  /** Mails to the operators. */
  readonly mails: number;
}

export interface SourceWatchFacts extends EngineAlarmFacts {
  readonly sources: ReadonlyMap<string, { readonly counts: RequestCounts }>;
  /** As configured: addresses and `@team` names. */
  readonly operators: readonly string[];
  readonly teams: ReadonlyMap<string, Team>;
  /** Seconds. */
  readonly unreachableAfter: number;
}

/** Updates the state of every source and mails the operators. Never throws. */
export async function updateSources(
  results: readonly AlarmResult[],
  facts: SourceWatchFacts,
): Promise<SourceReport> {
  const { sources, operators, teams, mode, now, unreachableAfter } = facts;
  const { addresses, unresolved } = resolveRecipients(operators, teams);
  const unreachable: string[] = [];
  const errors: string[] = [];
  let mails = 0;
  for (const [name, { counts }] of sources) {
    const before = sourceStateOf(facts.states, name);
    const after = nextSourceState(before, counts, now);
    const requested = counts.requests > 0;
    const alarms = affectedAlarms(name, results);
    if (after?.kind === "unreachable" && requested) {
      unreachable.push(name);
      errors.push(renderUnreachable(name, after, counts, alarms));
    }
    const notice = sourceNotice(name, {
      state: after,
      requested,
      alarms,
      now,
      after: unreachableAfter,
    });
    if (notice !== undefined && mode === "tick" && operators.length > 0 && addresses.length === 0)
      errors.push(
        `no recipients for the mail about the source ${name}: [email] operators has ${unresolved.join(", ")}, which is not a team with members; see: bin/swf-alarms team list`,
      );
    const result = await saveAndNotify(facts, {
      of: `source ${name}`,
      before,
      after,
      notified: afterSourceNotice(after),
      notice,
      recipients: addresses,
      save: (db, state) => saveSourceState(db, name, state, now),
    });
    if (result.sent) mails += 1;
    errors.push(...result.errors);
  }
  return { unreachable, errors, mails };
}

/** Names of the alarms whose requests to this source failed. */
function affectedAlarms(source: string, results: readonly AlarmResult[]): readonly string[] {
  return results
    .filter(
      (result) => result.kind === "ran" && result.errors.some((e) => isRequestErrorOf(source, e)),
    )
    .map(({ row }) => row.name)
    .sort();
}

interface StateChange<S> {
  /** What the state is about, for messages. */
  readonly of: string;
  readonly before: S | undefined;
  readonly after: S | undefined;
  /** The state once the notice was delivered. */
  readonly notified: S | undefined;
  readonly notice: Announcement | undefined;
  readonly recipients: readonly string[];
  readonly save: (db: Queryable, state: S | undefined) => Promise<void>;
}

/** Stores a state that has changed and delivers the mail that it calls for. Never throws. */
async function saveAndNotify<S>(
  facts: EngineAlarmFacts,
  { of, before, after, notified, notice, recipients, save }: StateChange<S>,
): Promise<{ readonly sent: boolean; readonly errors: readonly string[] }> {
  const { db, mailing, mode } = facts;
  if (mode === "plan") return { sent: false, errors: [] };
  try {
    const isDue = notice !== undefined && mode === "tick" && recipients.length > 0;
    const channel = isDue ? await mailing.channel() : undefined;
    // The end of a problem is not kept for a day on which it has recipients.
    const isMoot = mode === "tick" && channel === undefined && notice?.about.endsWith("recovery");
    const kept = isMoot === true ? notified : after;
    if (JSON.stringify(kept) !== JSON.stringify(before)) await save(db, kept);
    if (notice === undefined || channel === undefined) return { sent: false, errors: [] };
    return await mailing.inTurn(() =>
      deliver(facts, channel, notice, recipients, (tx) => save(tx, notified)),
    );
  } catch (error) {
    const reason = errorText(error);
    return { sent: false, errors: [`cannot store the state of ${of}: ${reason}`] };
  }
}

/** Delivers a mail about the engine, with the attempt recorded before it is made. */
async function deliver(
  { db, mailing, runId, now, clock }: EngineAlarmFacts,
  channel: NonNullable<Awaited<ReturnType<Mailing["channel"]>>>,
  notice: Announcement,
  recipients: readonly string[],
  confirmed: (tx: Queryable) => Promise<void>,
): Promise<{ readonly sent: boolean; readonly errors: readonly string[] }> {
  const { about, of } = notice;
  const message = renderAnnouncement(notice, now);
  const { subject, text } = message;
  const noEvents = { newEventIds: [], continuingEventIds: [], clearedEventIds: [] };
  const attempt = { alarm: of, runId, channel: channel.name, subject, text, recipients, about };
  const id = await openNotification(db, { ...attempt, ...noEvents }, clock());
  const delivery = await mailing.deliver(channel, { ...message, alarm: of, time: now, recipients });
  const verdict = judgeDelivery(delivery);
  const sent = verdict.outcome !== "failed";
  await db.transaction(async (tx) => {
    if (sent) await confirmed(tx);
    const result = {
      ...verdict,
      messageIds: delivery.messageIds,
      refused: delivery.refused,
      pending: sent ? delivery.pending : [],
      mayBeSent: delivery.error?.mayBeDelivered ?? false,
      shortened: undefined,
    };
    await closeNotification(tx, id, result, clock());
  });
  return { sent, errors: deliveryErrors(delivery).map((error) => `about ${about}: ${error}`) };
}
