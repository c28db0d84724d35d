import { type Ack, ackAt } from "./ack.ts";
import {
  type LevelChange,
  type LevelReason,
  levelChange,
  NO_LEVEL,
  type Severity,
} from "./level.ts";
import type { ActiveEvent, ByChannel, Outcome } from "./model.ts";

/** An event that is detected again. */
export interface Touch {
  /** As it is after this tick. */
  readonly event: ActiveEvent;
  readonly reason: "still detected" | LevelReason;
  readonly change?: EventChange;
}

/** What changes in its row. */
export interface EventChange {
  readonly level?: LevelChange;
  /** An acknowledgement that ends now. */
  readonly ack?: Ack;
}

interface TouchFacts {
  readonly outcome: Pick<Outcome, "levels">;
  readonly alarm: { readonly severity: Severity | undefined };
  /** Of the module. */
  readonly stages: readonly string[];
  readonly now: number;
}

/** Decides what changes of an event that is detected again, which may be news. */
export function touchEvent(event: ActiveEvent, facts: TouchFacts): Touch {
  const { outcome, alarm, stages, now } = facts;
  const level = levelChange({
    before: event.level ?? NO_LEVEL,
    peak: event.peak,
    found: outcome.levels.get(event.dedupeKey) ?? NO_LEVEL,
    severity: alarm.severity,
    stages,
  });
  const ack = endedAck(event.notices.ack, level, now);
  if (level === undefined && ack === undefined) return { event, reason: "still detected" };
  const { notices } = event;
  const news = level?.news && {
    news: level.news,
    newsAt: now,
    notified: before(notices.notified, now),
  };
  return {
    event: {
      ...event,
      ...(level && { level: level.level, peak: level.peak }),
      notices: {
        ...notices,
        ...news,
        ack: ack ?? notices.ack,
        reminders: news || ack ? {} : notices.reminders,
      },
    },
    reason: level?.reason ?? "still detected",
    change: { ...(level && { level }), ...(ack && { ack }) },
  };
}

/** News is later than every notification of the event, also one of a clock that was ahead. */
function before(notified: ByChannel<number>, now: number): ByChannel<number> {
  const times = Object.entries(notified).map(([channel, at]) => [
    channel,
    Math.min(at, now - 0.001),
  ]);
  return Object.fromEntries(times);
}

/** An acknowledgement whose end this tick finds. */
function endedAck(ack: Ack | undefined, level: LevelChange | undefined, now: number) {
  if (ack === undefined || ack.ended !== undefined) return undefined;
  const current = ackAt(ack, now);
  if (current?.ended !== undefined) return current;
  if (level?.news === undefined || ack.sticky) return undefined;
  const reason = level.news === "severity" ? "severity rose" : "stage advanced";
  return { ...ack, ended: { at: now, reason } } as const;
}
