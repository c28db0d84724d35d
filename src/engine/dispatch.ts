import { givenUpError, type Refused } from "../core/delivery.ts";
import type { AlarmRow } from "../core/model.ts";
import type { Dispatch } from "../core/notification.ts";
import { errorText } from "../text/describe.ts";
import { type ComposeFacts, compose } from "./compose.ts";
import { type Delivered, type DeliverFacts, deliverAgain, deliverNew } from "./deliver.ts";
import { giveUp } from "./give_up.ts";
import type { Recorded } from "./record.ts";
import type { Run } from "./run.ts";

export interface DispatchFacts extends DeliverFacts, Pick<ComposeFacts, "channel"> {
  readonly run: Run;
}

/** What became of an alarm's notifications on one channel. */
export interface Dispatched {
  /** Notifications that were delivered. */
  readonly sent: number;
  readonly refused: readonly Refused[];
  readonly errors: readonly string[];
}

export const NOTHING_DISPATCHED: Dispatched = { sent: 0, refused: [], errors: [] };

/** Delivers open notifications and then new ones, each with its own result. Never throws. */
export async function dispatch(
  alarm: AlarmRow,
  recorded: Recorded,
  { open, bundles }: Dispatch,
  facts: DispatchFacts,
): Promise<Dispatched> {
  const { db, run } = facts;
  let sent = 0;
  const refused: Refused[] = [];
  const errors: string[] = [];
  const attempt = async (work: () => Promise<Delivered | undefined>): Promise<void> => {
    try {
      const delivered = await work();
      if (delivered?.sent) sent += 1;
      refused.push(...(delivered?.refused ?? []));
      errors.push(...(delivered?.errors ?? []));
    } catch (error) {
      errors.push(`cannot record the notification: ${errorText(error)}; its events stay unsent`);
    }
  };
  for (const [row, plan] of open)
    await attempt(async () => {
      if (plan.kind === "attempt") return await deliverAgain(alarm.entryId, row, plan.to, facts);
      if (plan.kind !== "give up") return undefined;
      await db.transaction((tx) => giveUp(tx, row, plan.reason, run.clock()));
      const left = row.pending.length > 0 ? row.pending : row.recipients;
      if (plan.reason === "waited for 24 hours")
        errors.push(givenUpError({ ...row, notBefore: undefined }, left, row.error));
      return undefined;
    });
  const replaced = open.flatMap(([row, { kind }]) => (kind === "supersede" ? [row] : []));
  for (const [index, route] of bundles.entries())
    await attempt(async () => {
      const supersedes = index === 0 ? replaced : [];
      return await deliverNew(
        await compose(alarm, recorded, route, { ...facts, supersedes }),
        facts,
      );
    });
  return { sent, refused, errors };
}
