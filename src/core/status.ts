import { isJsonObject, type JsonObject } from "../text/json.ts";
import { duration, utcMinute } from "../text/utc.ts";
import { EMAIL } from "./alarm_channels.ts";
import { isAhead } from "./clock.ts";
import { type AlarmState, nextTry } from "./quarantine.ts";

/** Seconds without a finished tick that need attention: three ticks of five minutes. */
const MAX_TICK_AGE = 15 * 60;

/** A tick's record, as far as the status needs it. */
export interface RunFacts {
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  readonly errors: number;
  readonly errorDetails: string;
  /** Whether it ran only alarms named on the command line. */
  readonly partial: boolean;
}

/** Tells past ticks apart, newest first; `isRunning` is whether a tick holds the lock now. */
export function judgeTicks(listed: readonly RunFacts[], isRunning: boolean, now: number) {
  const runs = listed.filter(({ startedAt }) => !isAhead(startedAt, now));
  const [newest] = runs;
  const running = isRunning && newest?.finishedAt === undefined ? newest : undefined;
  return {
    /** The last finished tick over all alarms. */
    last: runs.find((run) => run.finishedAt !== undefined && !run.partial),
    /** When the tick that runs now started. */
    runningSince: running?.startedAt,
    /** When the last tick that did not finish started. */
    crashed: runs.find((run) => run.finishedAt === undefined && run !== running)?.startedAt,
    /** When the newest tick of a clock that was ahead started, by that clock; it counts as none of the others. */
    ahead: listed.find(({ startedAt }) => isAhead(startedAt, now))?.startedAt,
  };
}

export interface AlarmStatus {
  readonly alarm: string;
  readonly state: "ready" | "failing" | "quarantined" | "not configured" | "not run yet";
  /** Why it is not ready. */
  readonly reason: string;
  readonly mail: boolean;
  /** Those that it notifies on. */
  readonly channels: readonly string[];
  readonly active: number;
  /** Active events that no notification has named. */
  readonly not_mailed: number;
}

/** `recorded` is the alarm's part of the last tick's record. */
export function judgeState(
  recorded: JsonObject[string],
  state: AlarmState | undefined,
): Pick<AlarmStatus, "state" | "reason"> {
  if (state?.quarantine !== undefined) {
    const { quarantine, cause } = state;
    const reason = `since ${utcMinute(quarantine.since)}; ${nextTry(quarantine)}; ${cause}`;
    return { state: "quarantined", reason };
  }
  if (!isJsonObject(recorded)) return { state: "not run yet", reason: "" };
  const { not_configured: missing, errors, error_message: message } = recorded;
  if (typeof missing === "string") return { state: "not configured", reason: missing };
  if (errors === 0) return { state: "ready", reason: "" };
  return { state: "failing", reason: typeof message === "string" ? message : "" };
}

/** A notification that was not delivered to everyone, or may not have been. */
export interface NotificationStatus {
  readonly id: string;
  /** The alarm's name. */
  readonly alarm: string;
  readonly channel: string;
  readonly state: string;
  readonly attemptedAt: number;
  /** When the next attempt is made at the earliest; undefined if there is none. */
  readonly notBefore: number | undefined;
  readonly subject: string;
  readonly outcome: string;
  readonly error: string;
  /** Whether a later one of the same alarm was delivered on the channel. */
  readonly resolved: boolean;
}

export interface Status {
  readonly now: number;
  readonly ticks: ReturnType<typeof judgeTicks>;
  /** Ticks of the last 24 hours that were skipped because another one was running. */
  readonly skipped: number;
  readonly alarms: readonly AlarmStatus[];
  /** With the last error as the cause. */
  readonly unreachable: readonly {
    readonly source: string;
    readonly unreachable_since: number;
    readonly cause: string;
  }[];
  /** That were open in the last 24 hours. */
  readonly notifications: readonly NotificationStatus[];
}

/** What somebody should look at, one line each; empty while the engine is healthy. */
export function needsAttention(status: Status): readonly string[] {
  const { alarms, unreachable, notifications } = status;
  const lines = tickLines(status);
  for (const { source, unreachable_since: since } of unreachable)
    lines.push(`source ${source} has been unreachable since ${utcMinute(since)}`);
  for (const { alarm, state, active, mail, not_mailed: unsent } of alarms) {
    if (state === "failing" || state === "quarantined") lines.push(`${alarm} is ${state}`);
    // Its events can neither clear nor continue.
    if (state === "not configured" && active > 0)
      lines.push(`${alarm} is not configured but has ${active} active event(s)`);
    if (mail && unsent > 0) lines.push(`${alarm} has ${unsent} event(s) not yet mailed`);
  }
  for (const notification of notifications) {
    const { alarm, channel, resolved } = notification;
    // What an alarm does not send any more is no longer needed.
    const isSent = (each: AlarmStatus): boolean => each.mail && each.channels.includes(channel);
    if (!resolved && alarms.some((each) => each.alarm === alarm && isSent(each)))
      lines.push(notificationLine(notification, status.now));
  }
  return [...new Set(lines)];
}

function notificationLine(notification: NotificationStatus, now: number): string {
  const { alarm, channel, state, outcome, notBefore = 0 } = notification;
  const what = channel === EMAIL ? "mail" : "notification";
  const where = channel === EMAIL ? "" : ` on ${channel}`;
  const name = `the last ${what} of ${alarm}${where}`;
  const next = notBefore > now ? `; the next attempt is after ${utcMinute(notBefore)}` : "";
  if (state === "given_up") return `${name} was given up`;
  if (outcome === "failed") return `${name} was not delivered${next}`;
  if (outcome === "partial") return `${name} did not reach all recipients${next}`;
  return `${name} may not have been delivered${next}`;
}

function tickLines({ ticks: { last, runningSince, crashed, ahead }, now }: Status): string[] {
  const lines: string[] = [];
  if (ahead !== undefined)
    lines.push(
      `the clock and the records disagree: it is ${utcMinute(now)}, but a tick started at ${utcMinute(ahead)}, ${duration(ahead - now)} ahead; if this host's clock is wrong, correct it; if it was wrong only then, that record is ignored, and this line ends within two days`,
    );
  if (last === undefined)
    return [...lines, "no tick has finished yet; check that cron runs bin/swf-alarms run"];
  const age = now - last.startedAt;
  if (age > MAX_TICK_AGE) {
    const why = runningSince === undefined ? "check that cron runs it" : "one is running";
    lines.push(`no tick has finished for ${Math.floor(age / 60)} min; ${why}`);
  }
  if (crashed !== undefined && crashed > last.startedAt)
    lines.push(`the tick of ${utcMinute(crashed)} did not finish`);
  if (last.errors > 0) lines.push(`the last tick had ${last.errors} error(s)`);
  return lines;
}
