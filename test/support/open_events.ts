import type { ActiveEvent, SafeDetection } from "../../src/core/model.ts";
import type { Database, Queryable, Transaction } from "../../src/store/database.ts";
import { activeEvents, type FiringFacts, openEvents } from "../../src/store/events.ts";

/** An event with all that makes its row. */
export interface NewEvent {
  /** UUID for the row. */
  readonly id: string;
  readonly detection: SafeDetection;
}

/** `openEvents` of detections that are all known. */
export async function openDetected(
  db: Pick<Database, "transaction"> | Transaction,
  events: readonly NewEvent[],
  facts: Omit<FiringFacts, "detections">,
): Promise<ReadonlySet<string>> {
  const detections = new Map(events.map(({ detection }) => [detection.dedupeKey, detection]));
  const open = (tx: Transaction): Promise<ReadonlySet<string>> =>
    openEvents(
      tx,
      events.map(({ id, detection: { dedupeKey, recipients } }) => ({ id, dedupeKey, recipients })),
      { ...facts, detections },
    );
  return "isTransaction" in db ? await open(db) : await db.transaction(open);
}

/** The active events of an alarm as a list, in the order of their keys. */
export async function activeList(db: Queryable, alarm: string): Promise<readonly ActiveEvent[]> {
  const events = [...(await activeEvents(db, alarm)).values()];
  return events.sort((a, b) => (a.dedupeKey < b.dedupeKey ? -1 : 1));
}
