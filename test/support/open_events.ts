import type { ActiveEvent, SafeDetection } from "../../src/core/model.ts";
import type { Queryable } from "../../src/store/database.ts";
import { activeEvents, type FiringFacts, openEvents } from "../../src/store/events.ts";

/** An event with all that makes its row. */
export interface NewEvent {
  /** UUID for the row. */
  readonly id: string;
  readonly detection: SafeDetection;
}

/** `openEvents` of detections that are all known. */
export async function openDetected(
  db: Queryable,
  events: readonly NewEvent[],
  facts: Omit<FiringFacts, "detections">,
): Promise<ReadonlySet<string>> {
  return await openEvents(
    db,
    events.map(({ id, detection: { dedupeKey } }) => ({ id, dedupeKey })),
    {
      ...facts,
      detections: new Map(events.map(({ detection }) => [detection.dedupeKey, detection])),
    },
  );
}

/** The active events of an alarm as a list, in the order of their keys. */
export async function activeList(db: Queryable, alarm: string): Promise<readonly ActiveEvent[]> {
  const events = [...(await activeEvents(db, alarm)).values()];
  return events.sort((a, b) => (a.dedupeKey < b.dedupeKey ? -1 : 1));
}
