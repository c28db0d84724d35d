import { ENGINE } from "../core/event_key.ts";
import type { Log } from "../core/log.ts";
import { isCausedBySources } from "../core/source_state.ts";
import type { Database } from "../store/database.ts";
import { closeEngineRun, type RunSummary } from "../store/engine_runs.ts";
import { errorText } from "../text/describe.ts";
import { headerText } from "../text/escape.ts";
import { isJsonObject, type JsonObject } from "../text/json.ts";
import { type AlarmResult, perAlarmRecord, type RanResult } from "./result.ts";
import type { Run } from "./run.ts";
import type { SourceReport } from "./source_states.ts";

/** What a tick did. */
export interface TickReport {
  readonly startedAt: number;
  /** By the alarm's name. */
  readonly results: readonly AlarmResult[];
  /** Alarms whose row was made in this tick, or would be. */
  readonly newModules: readonly string[];
  readonly notificationsSent: number;
  /** One line each; empty after a clean tick. */
  readonly errors: readonly string[];
}

export interface ReportFacts extends Omit<TickReport, "notificationsSent"> {
  readonly sources: SourceReport;
}

/** The report; the given errors belong to no single alarm. */
export function makeReport(facts: ReportFacts): TickReport {
  const { startedAt, newModules, errors, sources } = facts;
  const results = facts.results.toSorted((a, b) => (a.row.entryId < b.row.entryId ? -1 : 1));
  const ran = results.filter((result) => result.kind === "ran");
  return {
    startedAt,
    results,
    newModules,
    notificationsSent: ran.reduce((sum, { sent }) => sum + sent, 0),
    errors: [
      ...errors,
      ...sources.errors,
      ...ran.flatMap((result) => {
        const own = reportedErrors(result, sources.unreachable);
        return own.length === 0 ? [] : [`${result.row.name}: ${own.join("; ")}`];
      }),
    ].map(headerText),
  };
}

/**
 * The errors of an alarm that the tick reports: not in every tick that it is still quarantined, nor once for
 * each alarm that a source is down. The alarm's own record has them all.
 */
function reportedErrors(
  { outcome, errors, isSkipped }: RanResult,
  unreachable: readonly string[],
): readonly string[] {
  if (isCausedBySources(unreachable, errors, outcome.cause)) return [];
  if (!isSkipped) return errors;
  return errors.filter((error) => !outcome.reasons.includes(error));
}

/** The report with the keys of the row contract. */
function runSummary(report: TickReport, finishedAt: number): RunSummary {
  const ran = report.results.filter((result) => result.kind === "ran");
  const modules = ran.filter(({ row }) => row.name !== ENGINE);
  return {
    finished_at: finishedAt,
    alarms_run: modules.filter(({ started }) => started).length,
    alarms_seen: modules.reduce((sum, { outcome }) => sum + outcome.keys.size, 0),
    notifications_sent: report.notificationsSent,
    errors: report.errors.length,
    error_details: report.errors.join("\n\n"),
    per_alarm: Object.fromEntries(
      report.results.map((result) => [result.row.entryId, perAlarmRecord(result)]),
    ),
  };
}

/** Closes the record of the tick. Returns the error, if any; never throws. */
export async function closeRun(
  db: Database,
  { mode, id, clock }: Run,
  report: TickReport,
): Promise<readonly string[]> {
  if (mode === "plan") return [];
  try {
    const summary = runSummary(report, clock());
    await db.transaction((tx) => closeEngineRun(tx, id, summary));
    return [];
  } catch (error) {
    return [
      `cannot close the record of this tick, which will show as crashed: ${errorText(error)}`,
    ];
  }
}

/** Logs what an alarm lacks when it is new, not in every tick; `previous` is the last run's `per_alarm`. */
export function logNotConfigured(report: TickReport, previous: JsonObject, log: Log): void {
  for (const result of report.results) {
    if (result.kind !== "not configured") continue;
    const message = headerText(result.missing.join("; "));
    const before = previous[result.row.entryId];
    const isKnown = isJsonObject(before) && before.not_configured === message;
    const line = `${result.row.name} is not configured: ${message}`;
    if (isKnown) log.debug(line);
    else log.info(line);
  }
}
