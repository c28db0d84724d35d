import type { Alarm } from "../alarm/load_alarms.ts";
import { sourceNotice } from "../core/announcement.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import type { Team } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
} from "../core/source_state.ts";
import { saveSourceState, sourceStateOf, sourceStates } from "../store/engine_state.ts";
import type { AlarmResult } from "./result.ts";
import { type StateFacts, saveAndNotify } from "./state_mail.ts";

/** What is wrong with the sources, for the report. */
export interface SourceReport {
  /** Names of the sources to which every request of this tick failed. */
  readonly unreachable: readonly string[];
  /** One line each. */
  readonly errors: readonly string[];
  /** Mails to the operators. */
  readonly mails: number;
}

export interface SourceWatchFacts extends StateFacts {
  readonly sources: ReadonlyMap<string, { readonly counts: RequestCounts }>;
  /** As configured: addresses and `@team` names. */
  readonly operators: readonly string[];
  readonly teams: ReadonlyMap<string, Team>;
  /** Seconds. */
  readonly unreachableAfter: number;
  /** Names of the sources that alarms use; undefined if that is not known. */
  readonly inUse: ReadonlySet<string> | undefined;
}

/** What the alarms of a tick use. A module that is not loaded in it may use any. */
export function sourcesInUse(alarms: readonly Alarm[]): ReadonlySet<string> | undefined {
  if (alarms.some(({ module }) => module === undefined)) return undefined;
  const running = alarms.filter(({ readiness }) => readiness.kind !== "not configured");
  return new Set(running.flatMap(({ module }) => module?.sources ?? [MAIN_SOURCE]));
}

/** Updates the state of every source and mails the operators. Never throws. */
export async function updateSources(
  results: readonly AlarmResult[],
  facts: SourceWatchFacts,
): Promise<SourceReport> {
  const { states, sources, operators, teams, unreachableAfter, inUse } = facts;
  const { now } = facts.run;
  const { addresses, faults } = resolveRecipients(operators, teams);
  const unreachable: string[] = [];
  const errors = faults.map((fault) => `[email] operators: ${fault}`);
  let mails = 0;
  for (const name of new Set([...sources.keys(), ...sourceStates(states).map((s) => s.source)])) {
    const before = sourceStateOf(states, name);
    const counts = sources.get(name)?.counts ?? { requests: 0, succeeded: 0, lastError: undefined };
    const requested = counts.requests > 0;
    // If nothing uses the source, no request will show when its outage ends.
    const isUsed = requested || (sources.has(name) && inUse?.has(name) !== false);
    const after = isUsed ? nextSourceState(before, counts, now) : undefined;
    const alarms = affectedAlarms(name, results);
    if (after?.kind === "unreachable" && requested) {
      unreachable.push(name);
      errors.push(renderUnreachable(name, after, counts, alarms));
    }
    const notice = sourceNotice(name, {
      state: after,
      requested,
      alarms,
      now,
      after: unreachableAfter,
    });
    const result = await saveAndNotify(facts, {
      of: `source ${name}`,
      before,
      after,
      notified: afterSourceNotice(after),
      notice,
      recipients: addresses,
      save: (tx, state) => saveSourceState(tx, name, state, now),
    });
    if (result.sent) mails += 1;
    errors.push(...result.errors);
  }
  return { unreachable, errors, mails };
}

/** Names of the alarms whose requests to this source failed. */
function affectedAlarms(source: string, results: readonly AlarmResult[]): readonly string[] {
  return results
    .filter(
      (result) => result.kind === "ran" && result.errors.some((e) => isRequestErrorOf(source, e)),
    )
    .map(({ row }) => row.name)
    .sort();
}
