import type { Log } from "../core/log.ts";
import { isCausedBySources } from "../core/source_state.ts";
import type { RunSummary } from "../store/engine_runs.ts";
import type { JsonObject } from "../text/json.ts";
import { type Redact, redactJson } from "../text/redact.ts";
import { type AlarmResult, perAlarmRecord, type RanResult } from "./result.ts";
import type { SourceReport } from "./source_state.ts";

/** What a tick did, for whoever started it. */
export interface TickReport {
  readonly startedAt: number;
  /** By the alarm's `entry_id`. */
  readonly results: readonly AlarmResult[];
  /** Alarms whose row was made in this tick, or would be. */
  readonly newModules: readonly string[];
  readonly notificationsSent: number;
  /** One line each; none on a clean tick. */
  readonly errors: readonly string[];
}

function byEntryId(a: AlarmResult, b: AlarmResult): number {
  return a.row.entryId < b.row.entryId ? -1 : 1;
}

/** The results of all alarms as one report; `problems` are errors that belong to no single alarm. */
export function makeReport(
  given: readonly AlarmResult[],
  problems: readonly string[],
  troubles: SourceReport,
  newcomers: readonly string[],
  startedAt: number,
): TickReport {
  const results = [...given].sort(byEntryId);
  const ran = results.filter((result) => result.kind === "ran");
  return {
    startedAt,
    results,
    newModules: newcomers,
    notificationsSent:
      ran.filter(({ sent }) => sent).length +
      ran.filter(({ announced }) => announced === true).length +
      troubles.mails,
    errors: [
      ...problems,
      ...troubles.errors,
      ...ran.flatMap((result) => {
        const errors = errorsToTell(result, troubles.unreachable);
        return errors.length === 0 ? [] : [`${result.row.entryId}: ${errors.join("; ")}`];
      }),
    ],
  };
}

/**
 * What whoever watches the ticks is told of an alarm's errors: not every five minutes that it is still
 * quarantined, nor once for each alarm that a source is down. The alarm's own record keeps them all.
 */
function errorsToTell(
  { outcome, errors, quarantine }: RanResult,
  unreachable: readonly string[],
): readonly string[] {
  if (isCausedBySources(unreachable, errors, outcome.cause)) return [];
  if (quarantine?.leftOut !== true) return errors;
  return errors.filter((error) => !outcome.reasons.includes(error));
}

/** The report in the words of the row contract. */
export function runSummary(report: TickReport, finishedAt: number, redact: Redact): RunSummary {
  const ran = report.results.filter((result) => result.kind === "ran");
  const perAlarm = report.results.map((result) => [
    result.row.entryId,
    redactJson(perAlarmRecord(result), redact),
  ]);
  return {
    finished_at: finishedAt,
    alarms_run: ran.filter(({ started }) => started).length,
    alarms_seen: ran.reduce((sum, { outcome }) => sum + outcome.detections.size, 0),
    notifications_sent: report.notificationsSent,
    errors: report.errors.length,
    error_details: redact(report.errors.join("\n\n")),
    per_alarm: Object.fromEntries(perAlarm),
  };
}

/** What is missing is said when it is news, not every five minutes; the last run's record remembers. */
export function sayNotConfigured(report: TickReport, previous: JsonObject, log: Log): void {
  for (const result of report.results) {
    if (result.kind !== "not configured") continue;
    const message = result.missing.join("; ");
    const before = previous[result.row.entryId];
    const known =
      typeof before === "object" &&
      before !== null &&
      !Array.isArray(before) &&
      before.not_configured === message;
    const line = `${result.row.entryId} is not configured: ${message}`;
    if (known) log.debug(line);
    else log.info(line);
  }
}
