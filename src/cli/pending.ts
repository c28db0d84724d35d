import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { AT_ONCE, describeSettle, settleProgress } from "../core/settle.ts";
import { type States, settlingOf } from "../store/engine_state.ts";
import { duration } from "../text/utc.ts";
import { jsonTime } from "./output.ts";

/** What an alarm detects, and has not detected for long enough. */
export interface PendingDetection {
  readonly alarm: string;
  readonly key: string;
  readonly subject: string | undefined;
  /** Epoch seconds. */
  readonly firstSeen: number;
  /** Outcomes that detected it, or seconds, and how many it needs. */
  readonly seen: number;
  /** Undefined in the alarm `engine`, whose rule depends on the key and on what it observes. */
  readonly needed: number | undefined;
  readonly unit: "outcomes" | "seconds";
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
        const seen = [...hits].filter((hit) => hit === "1").length;
        return { ...head, seen, needed: undefined, unit: "outcomes", fires: "if it lasts" };
      }
      // Without a rule, one that was set before made it pending.
      const rule = settle ?? AT_ONCE;
      return {
        ...head,
        ...settleProgress(entry, rule, now),
        unit: "hits" in rule ? "outcomes" : "seconds",
        fires: settle === undefined ? "when it is detected again" : describeSettle(settle),
      };
    }),
  );
  return found.sort((a, b) => a.firstSeen - b.firstSeen);
}

/** How far it has come, such as `1 of 3 outcomes`. */
export function renderProgress({ seen, needed, unit }: PendingDetection): string {
  if (needed === undefined) return `${seen} ${unit}`;
  if (unit === "outcomes") return `${seen} of ${needed} outcomes`;
  return `${duration(seen)} of ${duration(needed)}`;
}

export function pendingFacts({ firstSeen, fires: _, ...facts }: PendingDetection) {
  return { ...facts, first_seen: jsonTime(firstSeen) };
}
