import { givenUpError, type Refused } from "../core/delivery.ts";
import type { AlarmRow } from "../core/model.ts";
import type { Dispatch } from "../core/notification.ts";
import { extendNotification, supersede } from "../store/notifications.ts";
import { errorText } from "../text/describe.ts";
import type { ChannelQueue } from "./channel_queue.ts";
import { type ComposeFacts, compose } from "./compose.ts";
import { type Delivered, deliverAgain, deliverNew } from "./deliver.ts";
import { giveUp } from "./give_up.ts";
import type { Recorded } from "./record.ts";
import type { Run } from "./run.ts";

export interface DispatchFacts extends Pick<ComposeFacts, "db" | "run" | "channel"> {
  readonly run: Run;
  /** Undefined if the channel cannot be used. */
  readonly queue: ChannelQueue | undefined;
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
  const { db, run, queue } = facts;
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
      if (plan.kind === "attempt" && queue !== undefined)
        return await deliverAgain(alarm.entryId, row, plan.to, { ...facts, queue });
      if (plan.kind === "extend")
        await db.transaction((tx) => extendNotification(tx, row.id, run.clock()));
      if (plan.kind === "drop")
        await db.transaction((tx) =>
          supersede(tx, [row.id], { superseded_because: plan.reason }, run.clock()),
        );
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
      if (queue === undefined) return undefined;
      const supersedes = index === 0 ? replaced : [];
      const composing = { ...facts, queue, supersedes };
      return await deliverNew(await compose(alarm, recorded, route, composing), composing);
    });
  return { sent, refused, errors };
}
