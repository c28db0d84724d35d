import { type UpdateFacts, updateQuarantine } from "./quarantines.ts";
import type { AlarmResult } from "./result.ts";
import { type SourceReport, type SourceWatchFacts, updateSources } from "./source_states.ts";

export type EngineAlarmFacts = UpdateFacts & SourceWatchFacts;

export interface EngineAlarmReport {
  /** Those of the alarms, with what is known of their quarantine. */
  readonly results: readonly AlarmResult[];
  readonly sources: SourceReport;
}

/**
 * What the engine reports about itself: alarms that it quarantines, to their recipients, and sources that are
 * unreachable, to the operators. Never throws.
 */
export async function updateEngineAlarm(
  ran: readonly AlarmResult[],
  facts: EngineAlarmFacts,
): Promise<EngineAlarmReport> {
  const results: AlarmResult[] = [];
  for (const result of ran)
    results.push(result.kind === "ran" ? await updateQuarantine(result, facts) : result);
  return { results, sources: await updateSources(results, facts) };
}
