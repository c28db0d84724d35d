import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Alarm } from "../alarm/load_alarms.ts";
import { guardClears, heldClears } from "../core/clear_guard.ts";
import type { ActiveEvents, AlarmRow, Outcome, SafeDetection, Team } from "../core/model.ts";
import { channelsToHearOfClear } from "../core/news.ts";
import type { OpenedEvent } from "../core/notice.ts";
import { resolveRecipients } from "../core/recipients.ts";
import {
  NO_CHANGES,
  NOTHING_SETTLING,
  type Plan,
  type ReconcileFacts,
  reconcile,
  type Settling,
  settlingAfter,
} from "../core/reconcile.ts";
import { saveMemory } from "../store/alarm_memory.ts";
import type { Database, Transaction } from "../store/database.ts";
import { saveSettling } from "../store/engine_state.ts";
import { changeEvents } from "../store/event_changes.ts";
import { activeEvents, clearEvents, holdEvents, openEvents, touchEvents } from "../store/events.ts";
import { errorText } from "../text/describe.ts";
import { notDetected } from "./detect.ts";
import type { Run } from "./run.ts";

/** What an alarm's `detect` found, and what the tick did to the alarm's events. */
export interface Recorded {
  readonly outcome: Outcome;
  readonly plan: Plan;
  /** The events that this tick opened; an event that another process opened first is not among them. */
  readonly opened: readonly OpenedEvent[];
  /** Why nothing could be recorded. */
  readonly error: string | undefined;
}

export interface RecordFacts {
  readonly db: Database;
  readonly run: Pick<Run, "mode" | "now">;
  /** Runs the alarm's `detect`; never rejects. */
  readonly detect: (active: ActiveEvents) => Promise<Outcome>;
  readonly teams: ReadonlyMap<string, Team>;
  /** What earlier ticks remembered. */
  readonly settling?: Settling;
  /** If that depends on the key; else the alarm's own rule counts. */
  readonly settleOf?: ReconcileFacts["settleOf"];
  /** Share of the active events that may clear at once. */
  readonly clearGuardShare: number;
  /** False if it is known that the alarm has no active events. */
  readonly hasEvents?: boolean;
}

/** Detects, reconciles and writes. Never throws. */
export async function record(
  alarm: Pick<Alarm, "row" | "module">,
  facts: RecordFacts,
): Promise<Recorded> {
  const { db, run, detect, clearGuardShare, hasEvents = true } = facts;
  let outcome = notDetected("detect did not run", undefined);
  try {
    const active = hasEvents ? await activeEvents(db, alarm.row.name) : new Map();
    outcome = await detect(active);
    const plan = guardClears(decide(alarm, outcome, active, facts), clearGuardShare);
    const planned = plan.open.map(({ dedupeKey, level, firstSeen }): OpenedEvent => {
      const recipients = outcome.detections.get(dedupeKey)?.recipients ?? [];
      const first = firstSeen < run.now && { firstSeen };
      return { id: randomUUID(), dedupeKey, recipients, level, ...first };
    });
    if (run.mode === "plan") return { outcome, plan, opened: planned, error: undefined };
    const opened = await writePlan(alarm.row, { outcome, plan, opened: planned }, facts);
    return { outcome, plan, opened, error: undefined };
  } catch (error) {
    const message = `cannot record this tick: ${errorText(error)}`;
    return { outcome, plan: NO_CHANGES, opened: [], error: message };
  }
}

function decide(
  { row, module }: Pick<Alarm, "row" | "module">,
  outcome: Outcome,
  active: ActiveEvents,
  { run: { now }, settling = NOTHING_SETTLING, settleOf }: RecordFacts,
): Plan {
  const { settle } = row;
  return reconcile({
    outcome,
    active,
    settling,
    alarm: row,
    settleOf: settleOf ?? (settle && (() => settle)),
    stages: module?.stages ?? [],
    now,
  });
}

/** Writes the plan in one transaction. Returns the events that it really opened. */
async function writePlan(
  alarm: AlarmRow,
  { outcome: { detections, memory, positions }, plan, opened: planned }: Omit<Recorded, "error">,
  { db, teams, run: { now }, settling = NOTHING_SETTLING }: RecordFacts,
): Promise<readonly OpenedEvent[]> {
  const held = eventIds(heldClears(plan));
  const changed = plan.touch.flatMap(({ event, change }) =>
    change === undefined ? [] : [{ ...change, id: event.id, notices: event.notices }],
  );
  const after = settlingAfter(plan);
  const isSettling = !isDeepStrictEqual(after, settling);
  const changes = plan.open.length + plan.clear.length + held.length + changed.length;
  const remembers = memory !== undefined || positions.size > 0;
  const isNews = changes > 0 || isSettling || remembers;
  if (!isNews && plan.touch.length === 0) return [];
  const write = async (tx: Transaction): Promise<readonly OpenedEvent[]> => {
    const known = new Map<string, readonly string[]>();
    const recipientsOf = ({ recipients: own }: SafeDetection): readonly string[] => {
      const key = own.join(" ");
      const addresses =
        known.get(key) ?? resolveRecipients([...alarm.recipients, ...own], teams).addresses;
      known.set(key, addresses);
      return addresses;
    };
    const ids = await openEvents(tx, planned, { alarm, detections, recipientsOf, fireTime: now });
    await touchEvents(tx, eventIds(plan.touch), now);
    await changeEvents(tx, changed, now);
    await holdEvents(tx, held, now);
    for (const { unsent, clears } of byUnsentChannels(alarm, plan.clear, now))
      await clearEvents(tx, clears, unsent, now);
    if (isSettling) await saveSettling(tx, alarm.name, after, now);
    if (remembers) await saveMemory(tx, alarm, { at: now, text: memory, positions });
    return planned.filter(({ id }) => ids.has(id));
  };
  // Touches alone need not be on the disk: the next tick writes them again.
  return await db.transaction(write, { flush: isNews });
}

/** The clears by the channels that have to hear of them: few sets, however many events. */
function byUnsentChannels(alarm: AlarmRow, clears: Plan["clear"], now: number) {
  const groups = new Map<
    string,
    { unsent: readonly string[]; clears: { id: string; reason: string }[] }
  >();
  for (const { event, reason } of clears) {
    const unsent = channelsToHearOfClear(event, alarm, alarm.channels, now);
    const key = unsent.join(" ");
    const group = groups.get(key) ?? { unsent, clears: [] };
    group.clears.push({ id: event.id, reason });
    groups.set(key, group);
  }
  return groups.values();
}

function eventIds(
  items: readonly { readonly event: { readonly id: string } }[],
): readonly string[] {
  return items.map(({ event }) => event.id);
}
