import { randomUUID } from "node:crypto";
import { heldIds } from "../core/clear_guard.ts";
import type { AlarmRow, Detections } from "../core/model.ts";
import type { OpenedEvent } from "../core/notice.ts";
import type { Plan } from "../core/reconcile.ts";
import type { Database } from "../store/database.ts";
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
  const written = plan.open.length + plan.touch.length + plan.clear.length + heldIds(plan).length;
  if (written === 0) return [];
  return await db.transaction(async (tx) => {
    const made = await openEvents(tx, opened, { ...facts, fireTime: now });
    await touchEvents(
      tx,
      plan.touch.map(({ event }) => event.id),
      now,
    );
    await holdEvents(tx, heldIds(plan), now);
    for (const [reason, ids] of clearsByReason(plan))
      await clearEvents(tx, ids, { reason, mailOn: facts.alarm.enabled }, now);
    return opened.filter(({ id }) => made.has(id));
  });
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
