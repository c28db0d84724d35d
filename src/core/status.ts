import { isJsonObject, type JsonObject } from "../text/json.ts";
import { utcMinute } from "../text/utc.ts";
import type { AlarmRow } from "./model.ts";
import { type AlarmState, nextTry } from "./quarantine.ts";
import type { SourceState } from "./source_state.ts";

/** Seconds without a tick that somebody should look at: three ticks of five minutes. */
const LONGEST_SILENCE = 15 * 60;

/** A tick's record, as far as the status needs it. */
export interface RunFacts {
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly errors: number;
  readonly errorDetails: string;
  /** Whether it ran a few alarms by name. */
  readonly partial: boolean;
}

export interface TickStatus {
  /** The last tick over all alarms that finished; undefined before the first. */
  readonly last: RunFacts | undefined;
  /** When the tick that is at work began; undefined while none is. */
  readonly runningSince: number | undefined;
  /** When the last tick that never finished began. */
  readonly crashed: number | undefined;
}

/** Tells the ticks of the past apart, newest first; `atWork` is whether one holds the lock now. */
export function judgeTicks(runs: readonly RunFacts[], atWork: boolean): TickStatus {
  const [newest] = runs;
  const running = atWork && newest?.finishedAt === undefined ? newest : undefined;
  const unfinished = runs.find((run) => run.finishedAt === undefined && run !== running);
  return {
    last: runs.find((run) => run.finishedAt !== undefined && !run.partial),
    runningSince: running?.startedAt,
    crashed: unfinished?.startedAt,
  };
}

export interface AlarmStatus {
  /** `alarm_<name>` */
  readonly alarm: string;
  readonly state: "ready" | "failing" | "quarantined" | "not configured" | "not run yet";
  /** Why, where it is not ready. */
  readonly reason: string;
  readonly mail: boolean;
  readonly active: number;
  /** Active events that no mail has named. */
  readonly unsent: number;
}

export interface AlarmFacts {
  readonly row: Pick<AlarmRow, "entryId" | "enabled">;
  /** What the last tick noted of it. */
  readonly noted: JsonObject[string];
  readonly state: AlarmState | undefined;
  readonly active: number;
  readonly unsent: number;
}

/** How an alarm is, from what the last ticks left behind. */
export function judgeAlarm({
  row,
  noted,
  state: memory,
  active,
  unsent: owed,
}: AlarmFacts): AlarmStatus {
  const { state, reason } = stateOf(isJsonObject(noted) ? noted : undefined, memory);
  return { alarm: row.entryId, state, reason, mail: row.enabled, active, unsent: owed };
}

function stateOf(
  noted: JsonObject | undefined,
  memory: AlarmState | undefined,
): Pick<AlarmStatus, "state" | "reason"> {
  const quarantine = memory?.quarantine;
  if (memory !== undefined && quarantine !== undefined) {
    const since = `since ${utcMinute(quarantine.since)}`;
    return { state: "quarantined", reason: `${since}; ${nextTry(quarantine)}; ${memory.cause}` };
  }
  if (noted === undefined) return { state: "not run yet", reason: "" };
  if (typeof noted.not_configured === "string")
    return { state: "not configured", reason: noted.not_configured };
  if (noted.errors === 0) return { state: "ready", reason: "" };
  const message = typeof noted.error_message === "string" ? noted.error_message : "";
  return { state: "failing", reason: message };
}

export interface SourceStatus {
  readonly source: string;
  readonly state: SourceState;
}

/** A mail that was not delivered, or of which nobody knows. */
export interface MailStatus {
  readonly alarm: string;
  readonly attemptedAt: number;
  readonly subject: string;
  readonly outcome: string;
  readonly error: string;
  /** Whether a later mail of the same alarm went out. */
  readonly resolved: boolean;
}

export interface Status {
  readonly now: number;
  readonly ticks: TickStatus;
  /** Ticks of the last day that found another at work. */
  readonly skipped: number;
  readonly alarms: readonly AlarmStatus[];
  /** Only those in trouble. */
  readonly sources: readonly SourceStatus[];
  /** Of the last day. */
  readonly mails: readonly MailStatus[];
}

/** What somebody should look at, in one line each; empty when all is well. */
export function needsAttention(status: Status): readonly string[] {
  return [
    ...tickTrouble(status),
    ...status.sources.map(
      ({ source, state: memory }) =>
        `source ${source} is unreachable since ${utcMinute(memory.since)}`,
    ),
    ...status.alarms
      .filter(({ state }) => state === "failing" || state === "quarantined")
      .map(({ alarm, state }) => `${alarm} is ${state}`),
    // One that waits to be set up is no trouble; this one watched, and its events can neither clear nor go on.
    ...status.alarms
      .filter(({ state, active }) => state === "not configured" && active > 0)
      .map(({ alarm, active }) => `${alarm} has ${active} active event(s) and is not configured`),
    ...status.alarms
      .filter(({ mail, unsent: owed }) => mail && owed > 0)
      .map(({ alarm, unsent: owed }) => `${alarm} owes a mail about ${owed} event(s)`),
    ...status.mails
      // What the operators were not told of is over by now, where no source is in trouble.
      .filter(
        ({ alarm, resolved: overcome }) =>
          !overcome && (alarm !== "engine" || status.sources.length > 0),
      )
      .map(({ alarm, outcome }) =>
        alarm === "engine"
          ? `the last mail to the operators is ${outcome}`
          : `the last mail of ${alarm} is ${outcome}`,
      )
      .filter((line, index, lines) => lines.indexOf(line) === index),
  ];
}

function tickTrouble({ ticks, now }: Status): readonly string[] {
  const { last, runningSince: atWorkSince, crashed } = ticks;
  if (last === undefined) return ["no tick has finished yet: does cron call bin/swf-alarms run?"];
  const trouble: string[] = [];
  const silence = now - last.startedAt;
  if (silence > LONGEST_SILENCE) {
    const running = atWorkSince === undefined ? "does cron call it?" : "one is at work";
    trouble.push(`no tick has finished for ${Math.floor(silence / 60)} min: ${running}`);
  }
  if (crashed !== undefined && crashed > last.startedAt)
    trouble.push(`the tick of ${utcMinute(crashed)} never finished`);
  if (last.errors > 0) trouble.push(`the last tick had ${last.errors} error(s)`);
  return trouble;
}
