import { sourceNotice } from "../core/announcement.ts";
import type { Team } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import {
  afterSourceNotice,
  isRequestErrorOf,
  nextSourceState,
  type RequestCounts,
  renderUnreachable,
} from "../core/source_state.ts";
import { saveSourceState, sourceStateOf } from "../store/engine_state.ts";
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
}

/** Updates the state of every source and mails the operators. Never throws. */
export async function updateSources(
  results: readonly AlarmResult[],
  facts: SourceWatchFacts,
): Promise<SourceReport> {
  const { run, sources, operators, teams, unreachableAfter } = facts;
  const { mode, now } = run;
  const { addresses, unresolved } = resolveRecipients(operators, teams);
  const unreachable: string[] = [];
  const errors: string[] = [];
  let mails = 0;
  for (const [name, { counts }] of sources) {
    const before = sourceStateOf(facts.states, name);
    const after = nextSourceState(before, counts, now);
    const requested = counts.requests > 0;
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
    if (notice !== undefined && mode === "tick" && operators.length > 0 && addresses.length === 0)
      errors.push(
        `no recipients for the mail about the source ${name}: ${unresolved.join(", ")} in [email] operators does not exist or has no members; see: bin/swf-alarms team list`,
      );
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
