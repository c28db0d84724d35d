import { randomUUID } from "node:crypto";
import { heldIds } from "../core/clear_guard.ts";
import type { AlarmRow, Detections } from "../core/model.ts";
import type { OpenedEvent } from "../core/notice.ts";
import { type Plan, withoutEnded } from "../core/reconcile.ts";
import type { Database, Queryable } from "../store/database.ts";
import { activeEvents, clearEvents, holdEvents, openEvents, touchEvents } from "../store/events.ts";

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

/** What became of a plan. */
export interface AppliedPlan {
  /** Without the events that somebody else has ended since they were read. */
  readonly plan: Plan;
  /** The events that were really opened: one that another process opened first is left to it. */
  readonly opened: readonly OpenedEvent[];
}

/** Writes the plan, all of it or nothing. */
export async function applyPlan(db: Database, facts: ApplyFacts): Promise<AppliedPlan> {
  const { plan, opened, now } = facts;
  const held = heldIds(plan);
  const changed = plan.open.length + plan.clear.length + held.length;
  if (changed + plan.touch.length === 0) return { plan, opened: [] };
  const work = async (tx: Queryable): Promise<AppliedPlan> => {
    const made = await openEvents(tx, opened, { ...facts, fireTime: now });
    const ids = plan.touch.map(({ event }) => event.id);
    const isWhole = (await touchEvents(tx, ids, now)) === ids.length;
    await holdEvents(tx, held, now);
    for (const [reason, ids] of clearsByReason(plan))
      await clearEvents(tx, ids, { reason, mailOn: facts.alarm.enabled }, now);
    return {
      plan: isWhole ? plan : withoutEnded(plan, await activeEvents(tx, facts.alarm.name)),
      opened: opened.filter(({ id }) => made.has(id)),
    };
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
