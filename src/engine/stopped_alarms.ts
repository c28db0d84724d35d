import type { StoppedAlarm } from "../alarm/load_alarms.ts";
import type { ActiveEvents, Outcome } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { NOTHING_DETECTED, type Settling } from "../core/reconcile.ts";
import { type States, settlingOf } from "../store/engine_state.ts";
import { type NotifyFacts, notify } from "./notify.ts";
import { type Recorded, type RecordFacts, record } from "./record.ts";
import { type RanResult, ranResult } from "./result.ts";

/**
 * An alarm that was archived or deleted looks at nothing any more: its events end, what it has pending is forgotten, and
 * what it still has to say is delivered. Only those that have something left are among the results. Never throws.
 */
export async function endStopped(
  stopped: readonly StoppedAlarm[],
  facts: NotifyFacts & { readonly states: States },
): Promise<readonly RanResult[]> {
  const { unsent, run, teams, states } = facts;
  const left = stopped.filter(
    ({ row: { name, entryId } }) =>
      unsent.isActive(name) ||
      unsent.hasClears(name) ||
      unsent.hasOpen(entryId) ||
      settlingOf(states, name).pending.size > 0,
  );
  return await Promise.all(
    left.map(async ({ row, reason }): Promise<RanResult> => {
      const settling = settlingOf(states, row.name);
      const recorded = await endEvents({ row, reason }, { ...facts, settling });
      const notified = await notify(row, recorded, facts);
      return ranResult({
        alarm: {
          row,
          module: undefined,
          readiness: { kind: "faulty", message: reason, cause: "row" },
        },
        recorded,
        notified,
        recipients: resolveRecipients(row.recipients, teams).addresses,
        outOfTime: false,
        mode: run.mode,
      });
    }),
  );
}

/** Ends all events of an alarm, and what it has pending. Never throws. */
export async function endEvents(
  { row, reason }: StoppedAlarm,
  { settling, ...facts }: Pick<RecordFacts, "db" | "run" | "teams"> & { settling: Settling },
): Promise<Recorded> {
  const detect = async (active: ActiveEvents): Promise<Outcome> => {
    const keys = [...active.keys(), ...settling.pending.keys(), ...settling.clearing.keys()];
    return statedClears(new Map(keys.map((key) => [key, reason])));
  };
  const own = { ...facts, settling, detect, clearGuardShare: 1 };
  return await record({ row, module: undefined }, own);
}

/** The outcome of a person or a rule that ends events, and that looked at nothing. */
export function statedClears(clears: ReadonlyMap<string, string>): Outcome {
  return { ...NOTHING_DETECTED, status: "partial", clears };
}
