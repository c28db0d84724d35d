import { randomUUID } from "node:crypto";
import type { Alarm } from "../alarm/load_alarms.ts";
import { guardClears, heldClears } from "../core/clear_guard.ts";
import type { ActiveEvents, AlarmRow, Outcome, SafeDetection, Team } from "../core/model.ts";
import { channelsToHearOfClear } from "../core/news.ts";
import type { OpenedEvent } from "../core/notice.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { NO_CHANGES, type Plan, reconcile } from "../core/reconcile.ts";
import type { Database, Transaction } from "../store/database.ts";
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
  readonly run: Run;
  /** Runs the alarm's `detect`; never rejects. */
  readonly detect: (active: ActiveEvents) => Promise<Outcome>;
  readonly teams: ReadonlyMap<string, Team>;
  /** Share of the active events that may clear at once. */
  readonly clearGuardShare: number;
  /** False if it is known that the alarm has no active events. */
  readonly hasEvents?: boolean;
}

/** Detects, reconciles and writes. Never throws. */
export async function record(alarm: Alarm, facts: RecordFacts): Promise<Recorded> {
  const { db, run, detect, clearGuardShare, hasEvents = true } = facts;
  let outcome = notDetected("detect did not run", undefined);
  try {
    const active = hasEvents ? await activeEvents(db, alarm.row.name) : new Map();
    outcome = await detect(active);
    const plan = guardClears(reconcile(outcome, active), clearGuardShare);
    const planned = plan.open.map(({ dedupeKey }): OpenedEvent => {
      const recipients = outcome.detections.get(dedupeKey)?.recipients ?? [];
      return { id: randomUUID(), dedupeKey, recipients };
    });
    if (run.mode === "plan") return { outcome, plan, opened: planned, error: undefined };
    const opened = await writePlan(alarm.row, { outcome, plan, opened: planned }, facts);
    return { outcome, plan, opened, error: undefined };
  } catch (error) {
    const message = `cannot record this tick: ${errorText(error)}`;
    return { outcome, plan: NO_CHANGES, opened: [], error: message };
  }
}

/** Writes the plan in one transaction. Returns the events that it really opened. */
async function writePlan(
  alarm: AlarmRow,
  { outcome: { detections }, plan, opened: planned }: Omit<Recorded, "error">,
  { db, teams, run: { now } }: RecordFacts,
): Promise<readonly OpenedEvent[]> {
  const held = eventIds(heldClears(plan));
  const changes = plan.open.length + plan.clear.length + held.length;
  if (changes + plan.touch.length === 0) return [];
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
    await holdEvents(tx, held, now);
    for (const { unsent, clears } of byUnsentChannels(alarm, plan.clear))
      await clearEvents(tx, eventIds(clears), { reason: "no longer detected", unsent }, now);
    return planned.filter(({ id }) => ids.has(id));
  };
  // Touches alone need not be on the disk: the next tick writes them again.
  return await db.transaction(write, { flush: changes > 0 });
}

/** The clears by the channels that have to hear of them: few sets, however many events. */
function byUnsentChannels(
  alarm: AlarmRow,
  clears: Plan["clear"],
): Iterable<{ readonly unsent: readonly string[]; readonly clears: Plan["clear"] }> {
  const groups = new Map<string, { unsent: readonly string[]; clears: Plan["clear"][number][] }>();
  for (const clear of clears) {
    const unsent = channelsToHearOfClear(clear.event, alarm, alarm.channels);
    const key = unsent.join(" ");
    const group = groups.get(key) ?? { unsent, clears: [] };
    group.clears.push(clear);
    groups.set(key, group);
  }
  return groups.values();
}

function eventIds(items: Plan["touch"] | Plan["clear"] | Plan["keep"]): readonly string[] {
  return items.map(({ event }) => event.id);
}
