import { randomUUID } from "node:crypto";
import { heldIds } from "../core/clear_guard.ts";
import type { AlarmRow, Detections } from "../core/model.ts";
import type { OpenedEvent } from "../core/notice.ts";
import type { Plan } from "../core/reconcile.ts";
import type { Database, Queryable } from "../store/database.ts";
import { clearEvents, holdEvents, openEvents, touchEvents } from "../store/events.ts";

/** Ids for the events that the plan opens. */
export function nameOpened(plan: Plan): readonly OpenedEvent[] {
  return plan.open.map(({ dedupeKey }) => ({ id: randomUUID(), dedupeKey }));
}

export interface ApplyFacts {
  readonly alarm: AlarmRow;
  readonly plan: Plan;
  readonly opened: readonly OpenedEvent[];
  readonly detections: Detections;
  /** Resolved addresses. */
  readonly recipients: readonly string[];
  readonly now: number;
}

/**
 * Writes the plan, all of it or nothing. Gives the events that were really opened: one that another
 * process opened first is left to it.
 */
export async function applyPlan(db: Database, facts: ApplyFacts): Promise<readonly OpenedEvent[]> {
  const { plan, opened, now } = facts;
  const held = heldIds(plan);
  const changed = plan.open.length + plan.clear.length + held.length;
  if (changed + plan.touch.length === 0) return [];
  const work = async (tx: Queryable): Promise<readonly OpenedEvent[]> => {
    const made = await openEvents(tx, opened, { ...facts, fireTime: now });
    await touchEvents(
      tx,
      plan.touch.map(({ event }) => event.id),
      now,
    );
    await holdEvents(tx, held, now);
    for (const [reason, ids] of clearsByReason(plan))
      await clearEvents(tx, ids, { reason, mailOn: facts.alarm.enabled }, now);
    return opened.filter(({ id }) => made.has(id));
  };
  // Of touches alone nothing is lost that the next tick does not write again.
  return await db.transaction(work, { flush: changed > 0 });
}

function clearsByReason(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const byReason = new Map<string, string[]>();
  for (const { event, reason } of plan.clear) {
    const ids = byReason.get(reason) ?? [];
    ids.push(event.id);
    byReason.set(reason, ids);
  }
  return byReason;
}
