import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { ModuleFile } from "../alarm/discover.ts";
import type { Alarm } from "../alarm/load_alarms.ts";
import type { Config } from "../config/config.ts";
import { announceQuarantine, announceRecovery } from "../core/announcement.ts";
import type { AlarmRow, Mode, Outcome } from "../core/model.ts";
import {
  type AlarmState,
  afterQuarantineNotice,
  decideTry,
  nextAlarmState,
  nextTry,
  type RunResult,
  type TryDecision,
  unsentQuarantineNotice,
} from "../core/quarantine.ts";
import type { Database } from "../store/database.ts";
import { alarmStateOf, type States, saveAlarmState } from "../store/saved_states.ts";
import { errorText } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";
import { announce } from "./announce.ts";
import { failedOutcome } from "./collect.ts";
import type { Mailing } from "./mailing.ts";
import type { RanResult } from "./result.ts";

/** An alarm's turn in this tick: whether it runs, and what is known of its failures. */
export interface Turn {
  readonly memory: AlarmState | undefined;
  readonly fingerprint: string;
  readonly decision: TryDecision;
}

export interface TurnFacts {
  readonly config: Config;
  readonly states: States;
  readonly modules: readonly ModuleFile[];
  /** Alarms that the operator runs by name. */
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
}

/** Decides whether a quarantined alarm is tried in this tick. */
export function takeTurn(alarm: Alarm, facts: TurnFacts): Turn {
  const { row } = alarm;
  const memory = alarmStateOf(facts.states, row.name);
  // What is wrong with a row is cheap to find, and its message must not be hidden by an older one.
  const decision = tryDecision(row, mayBeItsOwnFault(alarm) ? memory : undefined, facts);
  return { memory, fingerprint: fingerprintOf(row, facts.modules), decision };
}

function tryDecision(row: AlarmRow, memory: AlarmState | undefined, facts: TurnFacts): TryDecision {
  return decideTry({
    state: memory,
    fingerprint: fingerprintOf(row, facts.modules),
    named: facts.only?.has(row.name) ?? false,
    now: facts.now,
    after: facts.config.engine.quarantineAfter,
  });
}

/** Whether the alarm is left out, so that its module need not even be loaded. */
export function isLeftOut(row: AlarmRow, facts: TurnFacts): boolean {
  const memory = alarmStateOf(facts.states, row.name);
  if (memory?.quarantine === undefined) return false;
  return !tryDecision(row, memory, facts).run;
}

/** The outcome of an alarm that is left out: nothing was seen, so its events stay as they are. */
export function leftOut(reason: string): Outcome {
  return failedOutcome(reason, "module");
}

/** Whether a failure of this alarm can be its module's, and not its row's. */
function mayBeItsOwnFault({ readiness }: Alarm): boolean {
  return (
    readiness.kind === "ready" || (readiness.kind === "faulty" && readiness.cause === "module")
  );
}

/**
 * Stands for the module file, why it is not loaded, and what the row sets; another text means that somebody
 * changed one of them. A file in another folder that now takes its place is a change too.
 */
function fingerprintOf(
  { module, params, limits }: AlarmRow,
  modules: readonly ModuleFile[],
): string {
  const file = modules.find(({ name }) => name === module);
  const stamp = file && [file.path, file.error, ...stampOf(file.path)];
  const text = JSON.stringify([module, params, limits, stamp]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function stampOf(path: string): readonly number[] {
  try {
    const { mtimeMs, size } = statSync(path);
    return [mtimeMs, size];
  } catch {
    return [];
  }
}

export interface AfterFacts extends TurnFacts {
  readonly db: Database;
  readonly mode: Mode;
  readonly runId: string;
  readonly mailing: Mailing;
  readonly clock: () => number;
  /** Aborted when the time of the whole tick was up, which is no alarm's own fault. */
  readonly budget: { readonly signal: AbortSignal };
}

/** Remembers how the alarm's turn went, and tells its owners of a quarantine and of its end. Never throws. */
export async function keepTurn(
  alarm: Alarm,
  turn: Turn,
  result: RanResult,
  facts: AfterFacts,
): Promise<RanResult> {
  const memory = memoryAfter(turn, result.outcome, facts);
  const told = withQuarantine(result, turn, memory, facts.now);
  if (facts.mode === "plan") return told;
  try {
    const error = await saveAndTell(alarm.row, turn, memory, result, facts);
    if (error === "sent") return { ...told, announced: true };
    return error === undefined ? told : { ...told, errors: [...told.errors, error] };
  } catch (error) {
    const reason = errorText(error);
    return { ...told, errors: [...told.errors, `cannot remember this run's failure: ${reason}`] };
  }
}

function memoryAfter(
  { memory, fingerprint, decision }: Turn,
  outcome: Outcome,
  facts: AfterFacts,
): AlarmState | undefined {
  if (!decision.run) return decision.memory;
  return nextAlarmState({
    state: memory,
    result: endOf(outcome, facts),
    cause: outcome.reasons.join("; "),
    fingerprint,
    reason: decision.reason,
    now: facts.now,
    after: facts.config.engine.quarantineAfter,
  });
}

function endOf(outcome: Outcome, { budget }: AfterFacts): RunResult {
  if (outcome.status !== "failed") return "ended";
  const own = outcome.cause === "module" && !budget.signal.aborted;
  return own ? "failed by its own fault" : "failed by another's fault";
}

/** The result with what people should know of the alarm's quarantine. */
function withQuarantine(
  result: RanResult,
  { memory: before, decision }: Turn,
  after: AlarmState | undefined,
  now: number,
): RanResult {
  const quarantine = after?.quarantine;
  if (after === undefined || quarantine === undefined) {
    const ended = before?.quarantine;
    if (ended === undefined) return result;
    const note = `runs again; it was quarantined since ${utcMinute(ended.since)}`;
    return { ...result, notes: [...result.notes, note] };
  }
  const record = {
    leftOut: !decision.run,
    since: quarantine.since,
    failures: after.failures,
    nextTryInTicks: quarantine.wait,
    cause: after.cause,
  };
  const since = quarantine.since === now ? "now" : `since ${utcMinute(quarantine.since)}`;
  const note = `quarantined ${since}, after ${after.failures} failures in a row; ${nextTry(quarantine)}`;
  const notes = decision.run ? [...result.notes, note] : result.notes;
  return { ...result, started: result.started && decision.run, quarantine: record, notes };
}

/** Gives what went wrong with the mail; undefined where none was due. */
async function saveAndTell(
  row: AlarmRow,
  turn: Turn,
  memory: AlarmState | undefined,
  result: RanResult,
  facts: AfterFacts,
): Promise<"sent" | string | undefined> {
  const { db, now, mode } = facts;
  const announcement = announcementOf(row, memory);
  const mayMail = row.enabled && result.recipients.length > 0;
  const due = announcement !== undefined && mode === "tick" && mayMail;
  const channel = due ? await facts.mailing.channel() : undefined;
  // An end that nobody can be told of is not kept for the day when mail is turned on.
  const isMoot = announcement?.about === "recovery" && mode === "tick" && channel === undefined;
  const kept = isMoot ? afterQuarantineNotice(memory) : memory;
  if (!isSame(kept, turn.memory)) await saveAlarmState(db, row.name, kept, now);
  if (announcement === undefined || channel === undefined) return undefined;
  const error = await announce(db, channel, {
    ...facts,
    announcement,
    recipients: result.recipients,
    confirmed: (tx) => saveAlarmState(tx, row.name, afterQuarantineNotice(memory), now),
  });
  return error ?? "sent";
}

function announcementOf(row: AlarmRow, memory: AlarmState | undefined) {
  const about = unsentQuarantineNotice(memory);
  if (memory?.quarantine !== undefined && about === "quarantine")
    return announceQuarantine(row, memory, memory.quarantine);
  if (memory?.recovery !== undefined && about === "recovery")
    return announceRecovery(row, memory, memory.recovery);
  return undefined;
}

function isSame(a: AlarmState | undefined, b: AlarmState | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
