import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Mode } from "../core/model.ts";
import { dueSweeps, type RetentionMemory, rememberSweep, type Sweep } from "../core/retention.ts";
import type { Database } from "../store/database.ts";
import { sqlState } from "../store/database_error.ts";
import { retentionMemory, type States, saveRetentionMemory } from "../store/saved_states.ts";
import { errorText } from "../text/describe.ts";
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
 * words; of each kind of row on one tick a day at most. Never throws.
 */
export async function retain(facts: RetainFacts): Promise<readonly string[]> {
  if (facts.mode !== "tick" || facts.only !== undefined || facts.budget.signal.aborted) return [];
  const memory = retentionMemory(facts.states);
  const { after, problems } = await sweepSome(memory, facts);
  if (after === memory) return [];
  try {
    await saveRetentionMemory(facts.db, after, facts.now);
    return problems;
  } catch (error) {
    const problem = `cannot remember how far the removal of old rows has come: ${errorText(error)}; the next tick looks through them again`;
    return [...problems, problem];
  }
}

interface SomeSwept {
  readonly after: RetentionMemory;
  readonly problems: readonly string[];
}

async function sweepSome(memory: RetentionMemory, facts: RetainFacts): Promise<SomeSwept> {
  const { config, db, now, budget, log } = facts;
  const until = performance.now() + SECONDS * 1000;
  const removed = new Map<string, number>();
  const problems: string[] = [];
  let after = memory;
  let steps = 0;
  for (const sweep of dueSweeps(config.retention, memory, now)) {
    let { from } = sweep;
    while (from < sweep.before) {
      if (steps === STEPS || performance.now() > until || budget.signal.aborted) break;
      steps += 1;
      try {
        const step = await sweepStep(db, { ...sweep, from }, now);
        addRemoved(removed, step);
        from = step.reached;
        after = rememberSweep(after, sweep, from);
      } catch (error) {
        problems.push(problemOf(sweep, error));
        after = rememberSweep(after, sweep, from, now);
        break;
      }
    }
  }
  const what = renderRemoved(removed);
  if (what !== "") log.info(`removed what [retention] no longer keeps: ${what}`);
  return { after, problems };
}

function problemOf({ kind }: Sweep, error: unknown): string {
  const isRights = sqlState(error) === "42501";
  const advice = isRights ? ' (deploy/grants.sql), or write "forever" for what is to stay' : "";
  return `cannot remove what [retention] no longer keeps (${kind}): ${errorText(error)}${advice}; tried again tomorrow, or at once by: bin/swf-alarms prune --yes`;
}
