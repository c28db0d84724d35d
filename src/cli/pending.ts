import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import {
  AT_ONCE,
  countHits,
  describeProgress,
  describeSettle,
  type Progress,
  settleProgress,
} from "../core/settle.ts";
import { type States, settlingOf } from "../store/engine_state.ts";
import { utcMinute } from "../text/utc.ts";
import { jsonTime } from "./output.ts";

/** What an alarm detects, and has not detected for long enough. */
export interface PendingDetection extends Progress {
  readonly alarm: string;
  readonly key: string;
  readonly subject: string | undefined;
  /** Epoch seconds. */
  readonly firstSeen: number;
  /** When it becomes an event, in words. */
  readonly fires: string;
}

/** What the alarms have pending, the oldest first. */
export function pendingDetections(
  states: States,
  rows: readonly Pick<AlarmRow, "name" | "settle" | "archived">[],
  now: number,
): readonly PendingDetection[] {
  const live = rows.filter(({ archived }) => !archived).reverse();
  // Of two rows of one alarm the older one runs; it comes first.
  const alarms = new Map(live.map((row) => [row.name, row])).values();
  const found = [...alarms].flatMap(({ name: alarm, settle }) =>
    [...settlingOf(states, alarm).pending].map(([key, entry]): PendingDetection => {
      const { firstSeen, subject, hits } = entry;
      const head = { alarm, key, subject, firstSeen };
      if (alarm === ENGINE) {
        // Its rule depends on the key and on what it observes.
        const rest = { needed: undefined, unit: "outcomes", fires: "if it lasts" } as const;
        return { ...head, seen: countHits(hits), ...rest };
      }
      // Without a rule, one that was set before made it pending.
      const rule = settle ?? AT_ONCE;
      return {
        ...head,
        ...settleProgress(entry, rule, now),
        fires: settle === undefined ? "when it is detected again" : describeSettle(settle),
      };
    }),
  );
  return found.sort((a, b) => a.firstSeen - b.firstSeen);
}

/** Such as `detected in 1 of 3 outcomes since 2026-11-21 10:05 UTC; it fires after 3 outcomes in a row`. */
export function renderPending(found: PendingDetection): string {
  const since = utcMinute(found.firstSeen);
  return `detected ${describeProgress(found)} since ${since}; it fires ${found.fires}`;
}

export function pendingFacts({ firstSeen, fires: _, ...facts }: PendingDetection) {
  return { ...facts, first_seen: jsonTime(firstSeen) };
}
