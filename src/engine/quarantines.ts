import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { ModuleFile } from "../alarm/discover.ts";
import { quarantineNotice } from "../core/announcement.ts";
import type { AlarmRow } from "../core/model.ts";
import {
  afterQuarantineNotice,
  decideTry,
  nextAlarmState,
  nextTry,
  type TryDecision,
} from "../core/quarantine.ts";
import { alarmStateOf, type States, saveAlarmState } from "../store/engine_state.ts";
import { utcMinute } from "../text/utc.ts";
import { type EngineAlarmFacts, saveAndNotify } from "./engine_alarm.ts";
import type { AlarmResult, RanResult } from "./result.ts";

/** Which quarantined alarms run in this tick. */
export interface Quarantines {
  decide(row: AlarmRow): TryDecision;
  /** Changes when somebody changes the module file or what the row sets. */
  fingerprint(row: AlarmRow): string;
  /** Consecutive failures that quarantine an alarm; 0 is never. */
  readonly after: number;
}

export interface QuarantineFacts {
  readonly states: States;
  readonly modules: ReadonlyMap<string, ModuleFile>;
  /** Alarms that the operator runs by name. */
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
  readonly after: number;
}

export function readQuarantines(facts: QuarantineFacts): Quarantines {
  const { states, modules, only, now, after } = facts;
  const fingerprint = ({ module, params, limits }: AlarmRow): string => {
    const file = modules.get(module);
    const stamp = file && [file.path, file.error, ...stampOf(file.path)];
    const text = JSON.stringify([module, params, limits, stamp]);
    return createHash("sha256").update(text).digest("hex").slice(0, 32);
  };
  return {
    after,
    fingerprint,
    decide: (row) => {
      const state = alarmStateOf(states, row.name);
      if (state?.quarantine === undefined) return { run: true, reason: "not quarantined" };
      const named = only?.has(row.name) ?? false;
      return decideTry({ state, fingerprint: fingerprint(row), named, now, after });
    },
  };
}

function stampOf(path: string): readonly number[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [stats.mtimeMs, stats.size];
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
