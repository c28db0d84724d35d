import type { Alarm } from "../alarm/load_alarms.ts";
import type { EngineFacts } from "../core/engine_facts.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import {
  affectedAlarms,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
} from "../core/source_state.ts";
import type { Database } from "../store/database.ts";
import {
  type States,
  saveSourceState,
  sourceStateOf,
  sourceStates,
} from "../store/engine_state.ts";
import { errorText } from "../text/describe.ts";
import type { AlarmResult } from "./result.ts";
import type { Run } from "./run.ts";

/** What is known of the sources after a tick. */
export interface SourceReport {
  /** Names of the sources to which every request of this tick failed. */
  readonly unreachable: readonly string[];
  /** One line each. */
  readonly errors: readonly string[];
  readonly facts: EngineFacts["sources"];
}

export interface SourceWatchFacts {
  readonly db: Database;
  readonly run: Run;
  readonly states: States;
  readonly sources: ReadonlyMap<string, { readonly counts: RequestCounts }>;
  /** Names of the sources that alarms use; undefined if that is not known. */
  readonly inUse: ReadonlySet<string> | undefined;
}

/** What the alarms of a tick use. A module that is not loaded in it may use any. */
export function sourcesInUse(alarms: readonly Alarm[]): ReadonlySet<string> | undefined {
  if (alarms.some(({ module }) => module === undefined)) return undefined;
  const running = alarms.filter(({ readiness }) => readiness.kind !== "not configured");
  return new Set(running.flatMap(({ module }) => module?.sources ?? [MAIN_SOURCE]));
}

/** Stores since when sources are unreachable. Never throws. */
export async function updateSources(
  results: readonly AlarmResult[],
  { db, run, states, sources, inUse }: SourceWatchFacts,
): Promise<SourceReport> {
  const { mode, now } = run;
  const ran = results.flatMap((result) =>
    result.kind === "ran" ? [{ name: result.row.name, errors: result.errors }] : [],
  );
  const unreachable: string[] = [];
  const errors: string[] = [];
  const facts: EngineFacts["sources"][number][] = [];
  for (const name of new Set([...sources.keys(), ...sourceStates(states).map((s) => s.source)])) {
    const before = sourceStateOf(states, name);
    const counts = sources.get(name)?.counts ?? { requests: 0, succeeded: 0, lastError: undefined };
    const requested = counts.requests > 0;
    // If nothing uses the source, no request will show when its outage ends.
    const isUsed = requested || (sources.has(name) && inUse?.has(name) !== false);
    const state = isUsed ? nextSourceState(before, counts, now) : undefined;
    facts.push({ name, requested, isUsed, state });
    if (state !== undefined && requested) {
      unreachable.push(name);
      errors.push(renderUnreachable(name, state, counts, affectedAlarms(name, ran)));
    }
    if (mode === "plan" || JSON.stringify(state) === JSON.stringify(before)) continue;
    try {
      await db.transaction((tx) => saveSourceState(tx, name, state, now));
    } catch (error) {
      errors.push(`cannot store the state of source ${name}: ${errorText(error)}`);
    }
  }
  return { unreachable, errors, facts };
}
