import type { Config } from "../config/config.ts";
import { errorText } from "../core/describe.ts";
import type { Mode } from "../core/model.ts";
import { dueSweeps, type RetentionMemory, rememberSweep } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { retentionMemory, type States, saveRetentionMemory } from "../store/memories.ts";
import { sqlState } from "../store/refusal.ts";
import type { Log } from "./log.ts";
import { addRemoved, renderRemoved, sweepStep } from "./sweep.ts";

/** A tick takes no more steps, and begins none after so many seconds: the next tick goes on. */
const STEPS = 5;
const SECONDS = 0.1;

export interface RetainFacts {
  readonly config: Pick<Config, "retention">;
  readonly db: Database;
  readonly mode: Mode;
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
  readonly states: States;
  readonly budget: { readonly signal: AbortSignal };
  readonly log: Log;
}

/**
 * Removes some of what `[retention]` no longer keeps, at the end of a tick over all alarms. A tick that
 * has nothing to do sends no statement: the memory of the last sweep tells. Gives what went wrong, in
 * words, on one tick a day at most. Never throws.
 */
export async function retain(facts: RetainFacts): Promise<readonly string[]> {
  if (facts.mode !== "tick" || facts.only !== undefined || facts.budget.signal.aborted) return [];
  const memory = retentionMemory(facts.states);
  try {
    const after = await sweepSome(memory, facts);
    if (after !== memory) await saveRetentionMemory(facts.db, after, facts.now);
    return [];
  } catch (error) {
    return [await giveUpToday(memory, error, facts)];
  }
}

async function sweepSome(memory: RetentionMemory, facts: RetainFacts): Promise<RetentionMemory> {
  const { config, db, now, budget, log } = facts;
  const until = performance.now() + SECONDS * 1000;
  const removed = new Map<string, number>();
  let after = memory;
  let steps = 0;
  for (const sweep of dueSweeps(config.retention, memory, now)) {
    let { from } = sweep;
    while (from < sweep.before) {
      if (steps === STEPS || performance.now() > until || budget.signal.aborted) break;
      const step = await sweepStep(db, { ...sweep, from }, now);
      addRemoved(removed, step);
      from = step.reached;
      after = rememberSweep(after, sweep, from);
      steps += 1;
    }
  }
  const what = renderRemoved(removed);
  if (what !== "") log.info(`removed what [retention] no longer keeps: ${what}`);
  return after;
}

async function giveUpToday(
  memory: RetentionMemory,
  error: unknown,
  { db, now }: RetainFacts,
): Promise<string> {
  const isRights = sqlState(error) === "42501";
  const advice = isRights ? ' (deploy/grants.sql), or write "forever" for what is to stay' : "";
  const problem = `cannot remove what [retention] no longer keeps: ${errorText(error)}${advice}; tried again tomorrow, or at once by: swf-alarms prune --yes`;
  try {
    await saveRetentionMemory(db, { ...memory, failedAt: now }, now);
    return problem;
  } catch (failure) {
    return `${problem}; and cannot remember that: ${errorText(failure)}`;
  }
}
