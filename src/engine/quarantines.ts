import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import type { ModuleFile } from "../alarm/discover.ts";
import { realPath } from "../alarm/permissions.ts";
import { readRegularFile } from "../config/regular_file.ts";
import type { AlarmRow } from "../core/model.ts";
import {
  type AlarmState,
  decideTry,
  nextAlarmState,
  nextTry,
  type TryDecision,
} from "../core/quarantine.ts";
import type { Database } from "../store/database.ts";
import { alarmStateOf, type States, saveAlarmState } from "../store/engine_state.ts";
import { errorText } from "../text/describe.ts";
import { utcMinute } from "../text/utc.ts";
import type { AlarmResult, RanResult } from "./result.ts";
import type { Run } from "./run.ts";

export interface QuarantineFacts {
  readonly states: States;
  readonly modules: ReadonlyMap<string, ModuleFile>;
  /** Alarms that the operator runs by name. */
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
  /** Consecutive failures that quarantine an alarm; 0 is never. */
  readonly after: number;
}

type Quarantines = ReturnType<typeof readQuarantines>;

/** Decides which quarantined alarms run in this tick. */
export function readQuarantines(facts: QuarantineFacts) {
  const { states, modules, only, now, after } = facts;
  const fingerprints = new Map<string, string>();
  // It changes with the module and with what the row sets. Computed once, and for an alarm with a state before it
  // runs: a file that somebody changes meanwhile is tried in the next tick.
  const fingerprint = (row: AlarmRow): string => {
    const known = fingerprints.get(row.name) ?? fingerprintOf(row, modules.get(row.module));
    fingerprints.set(row.name, known);
    return known;
  };
  return {
    after,
    fingerprint,
    decide: (row: AlarmRow): TryDecision => {
      const state = alarmStateOf(states, row.name);
      const named = only?.has(row.name) ?? false;
      return decideTry({ state, fingerprint: state ? fingerprint(row) : "", named, now, after });
    },
  };
}

function fingerprintOf({ module, params, limits }: AlarmRow, file?: ModuleFile): string {
  const text = JSON.stringify([module, params, limits, !file?.error, file && sourceOf(file.path)]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

/** What an import may leave out. */
const ENDS = [".ts", ".js", ".json", "/index.ts", "/index.js"];

/** The text of a module and of the files that it imports, the same in every checkout. */
function sourceOf(module: string): readonly string[] {
  const imports = /\b(?:from|import|require)[\s(]*["'`](\.{1,2}\/[^"'`\n]+)/g;
  const texts: string[] = [];
  const paths = new Set([realPath(module)]);
  for (const path of paths) {
    try {
      const text = readRegularFile(path).toString();
      texts.push(basename(path), text);
      for (const [, name = ""] of text.matchAll(imports))
        for (const file of [name, name.replace(/js$/, "ts"), ...ENDS.map((end) => name + end)])
          paths.add(realPath(resolve(path, "..", file)));
    } catch {
      // Loading the file says why.
    }
  }
  return texts;
}

export interface UpdateFacts {
  readonly db: Database;
  readonly run: Run;
  readonly quarantines: Quarantines;
  readonly states: States;
}

/** Stores which alarms are quarantined after this tick. Never throws. */
export async function updateQuarantines(
  results: readonly AlarmResult[],
  facts: UpdateFacts,
): Promise<readonly AlarmResult[]> {
  const updated: AlarmResult[] = [];
  for (const result of results)
    updated.push(result.kind === "ran" ? await updateQuarantine(result, facts) : result);
  return updated;
}

async function updateQuarantine(
  result: RanResult,
  { db, run, quarantines, states }: UpdateFacts,
): Promise<RanResult> {
  const { row, outcome, isSkipped } = result;
  const { mode, now } = run;
  const before = alarmStateOf(states, row.name);
  const isOwn = outcome.cause === "module" && !result.outOfTime;
  if (before === undefined && !(outcome.status === "failed" && isOwn)) return result;
  const decision = quarantines.decide(row);
  const failure = isOwn ? "own failure" : "other failure";
  const after =
    isSkipped && !decision.run
      ? decision.state
      : nextAlarmState({
          state: before,
          result: outcome.status === "failed" ? failure : "completed",
          cause: outcome.reasons.join("; "),
          fingerprint: quarantines.fingerprint(row),
          reason: decision.run ? decision.reason : "not quarantined",
          now,
          after: quarantines.after,
        });
  const errors = [...result.errors];
  if (mode !== "plan" && JSON.stringify(after) !== JSON.stringify(before))
    try {
      await db.transaction((tx) => saveAlarmState(tx, row.name, after, now));
    } catch (error) {
      errors.push(`cannot store the state of ${row.name}: ${errorText(error)}`);
    }
  const notes = isSkipped ? result.notes : [...result.notes, ...notesOn(before, after, now)];
  const updated = { ...result, errors, notes };
  if (after?.quarantine === undefined) return updated;
  const { failures, cause, quarantine } = after;
  const { since, wait } = quarantine;
  const facts = { since, failures, next_try_in_ticks: wait, cause };
  return { ...updated, quarantine: facts, nextTry: nextTry(quarantine) };
}

function notesOn(
  before: AlarmState | undefined,
  after: AlarmState | undefined,
  now: number,
): readonly string[] {
  if (after?.quarantine !== undefined) {
    const { since } = after.quarantine;
    const when = since === now ? "now" : `since ${utcMinute(since)}`;
    return [
      `quarantined ${when}, after ${after.failures} failures in a row; ${nextTry(after.quarantine)}`,
    ];
  }
  return before?.quarantine === undefined
    ? []
    : [`runs again; it had been quarantined since ${utcMinute(before.quarantine.since)}`];
}
