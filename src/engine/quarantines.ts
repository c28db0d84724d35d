import { createHash } from "node:crypto";
import { basename, resolve } from "node:path";
import type { ModuleFile } from "../alarm/discover.ts";
import { realPath } from "../alarm/permissions.ts";
import { readRegularFile } from "../config/regular_file.ts";
import { quarantineNotice } from "../core/announcement.ts";
import type { AlarmRow } from "../core/model.ts";
import {
  type AlarmState,
  afterQuarantineNotice,
  decideTry,
  nextAlarmState,
  nextTry,
  type TryDecision,
} from "../core/quarantine.ts";
import { alarmStateOf, type States, saveAlarmState } from "../store/engine_state.ts";
import { utcMinute } from "../text/utc.ts";
import type { AlarmResult, RanResult } from "./result.ts";
import { type StateFacts, saveAndNotify } from "./state_mail.ts";

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

export interface UpdateFacts extends StateFacts {
  readonly quarantines: Quarantines;
}

/** Stores which alarms are quarantined after this tick, and mails their recipients. Never throws. */
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
  { quarantines, ...facts }: UpdateFacts,
): Promise<RanResult> {
  const { row, outcome } = result;
  const { now } = facts.run;
  const before = alarmStateOf(facts.states, row.name);
  const isOwn = outcome.cause === "module" && !result.outOfTime;
  if (before === undefined && !(outcome.status === "failed" && isOwn)) return result;
  const decision = quarantines.decide(row);
  const failure = isOwn ? "own failure" : "other failure";
  const { isSkipped } = result;
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
  const { sent, errors } = await saveAndNotify(facts, {
    of: row.name,
    before,
    after,
    notified: afterQuarantineNotice(after),
    notice: quarantineNotice(row, after),
    recipients: row.enabled ? result.recipients : [],
    save: (tx, state) => saveAlarmState(tx, row.name, state, now),
  });
  const notes = isSkipped ? result.notes : [...result.notes, ...notesOn(before, after, now)];
  const updated = { ...result, announced: sent, errors: [...result.errors, ...errors], notes };
  if (after?.quarantine === undefined) return updated;
  const { failures, cause, quarantine } = after;
  const { since, wait } = quarantine;
  return { ...updated, quarantine: { since, failures, next_try_in_ticks: wait, cause } };
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
