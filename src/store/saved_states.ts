import {
  boolean,
  fallback,
  finite,
  literal,
  minValue,
  nullish,
  number,
  object,
  optional,
  pipe,
  safeInteger,
  safeParse,
  string,
  transform,
  variant,
} from "valibot";
import type { AlarmState } from "../core/quarantine.ts";
import type { RetentionMemory } from "../core/retention.ts";
import type { SourceState } from "../core/source_state.ts";
import type { JsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { saveState, stateName } from "./engine_state.ts";

/** Memories as rows hold them, and back. A row that makes no sense is no memory: it is not worth a tick. */

const QUARANTINE = "quarantine";
const SOURCE = "source";

const time = pipe(number(), finite());
/** Rows of earlier versions lack it; most of them had been notified. */
const wasNotified = optional(boolean(), true);
const count = pipe(number(), safeInteger(), minValue(0));

const AlarmStateSchema = object({
  failures: count,
  cause: string(),
  fingerprint: string(),
  quarantine: nullish(
    object({
      since: time,
      pause: pipe(count, minValue(1)),
      wait: count,
      tried_at: time,
      looked_at: time,
      notified: wasNotified,
    }),
  ),
  recovery: nullish(object({ since: time, until: time, notified: wasNotified })),
});

const SourceStateSchema = variant("kind", [
  object({ kind: literal("unreachable"), since: time, cause: string(), notified: wasNotified }),
  object({ kind: literal("recovered"), since: time, until: time }),
]);

export type States = ReadonlyMap<string, JsonObject>;

/** What is remembered of an alarm, by its name. */
export function alarmStateOf(states: States, alarm: string): AlarmState | undefined {
  const parsed = safeParse(AlarmStateSchema, states.get(stateName(QUARANTINE, alarm)));
  if (!parsed.success) return undefined;
  const { failures, cause, fingerprint, quarantine, recovery } = parsed.output;
  return {
    failures,
    cause,
    fingerprint,
    quarantine: quarantine
      ? {
          since: quarantine.since,
          pause: quarantine.pause,
          wait: quarantine.wait,
          triedAt: quarantine.tried_at,
          lookedAt: quarantine.looked_at,
          notified: quarantine.notified,
        }
      : undefined,
    recovery: recovery ?? undefined,
  };
}

/** Keeps what is remembered of an alarm; undefined forgets it. */
export async function saveAlarmState(
  db: Queryable,
  alarm: string,
  memory: AlarmState | undefined,
  now: number,
): Promise<void> {
  await saveState(db, QUARANTINE, alarm, memory && alarmStateData(memory), now);
}

function alarmStateData({ failures, cause, fingerprint, quarantine, recovery }: AlarmState) {
  return {
    failures,
    cause,
    fingerprint,
    quarantine: quarantine
      ? {
          since: quarantine.since,
          pause: quarantine.pause,
          wait: quarantine.wait,
          tried_at: quarantine.triedAt,
          looked_at: quarantine.lookedAt,
          notified: quarantine.notified,
        }
      : null,
    recovery: recovery ? { ...recovery } : null,
  };
}

/** What is remembered of a source, by its name. */
export function sourceStateOf(states: States, source: string): SourceState | undefined {
  const parsed = safeParse(SourceStateSchema, states.get(stateName(SOURCE, source)));
  return parsed.success ? parsed.output : undefined;
}

/** All sources that something is remembered of. */
export function sourceStates(
  states: States,
): readonly { readonly source: string; readonly state: SourceState }[] {
  const prefix = stateName(SOURCE, "");
  return [...states.keys()]
    .filter((name) => name.startsWith(prefix))
    .sort()
    .flatMap((name) => {
      const source = name.slice(prefix.length);
      const state = sourceStateOf(states, source);
      return state === undefined ? [] : [{ source, state }];
    });
}

/** Keeps what is remembered of a source; undefined forgets it. */
export async function saveSourceState(
  db: Queryable,
  source: string,
  memory: SourceState | undefined,
  now: number,
): Promise<void> {
  await saveState(db, SOURCE, source, memory && { ...memory }, now);
}

const RETENTION = "retention";
const PROGRESS = "progress";

const progress = fallback(
  optional(
    pipe(
      object({ before: time, reached: time, failed_at: optional(time) }),
      transform(({ failed_at: failedAt, ...rest }) => ({ ...rest, failedAt })),
    ),
  ),
  undefined,
);
const RetentionState = object({
  engine_runs: progress,
  cleared_events: progress,
  notifications: progress,
});

/** How far the removal of old rows has come. */
export function retentionMemory(states: States): RetentionMemory {
  const parsed = safeParse(RetentionState, states.get(stateName(RETENTION, PROGRESS)));
  if (!parsed.success) return {};
  const { engine_runs, cleared_events, notifications } = parsed.output;
  return {
    ...(engine_runs === undefined ? {} : { engine_runs }),
    ...(cleared_events === undefined ? {} : { cleared_events }),
    ...(notifications === undefined ? {} : { notifications }),
  };
}

/** Keeps how far it has come. */
export async function saveRetentionMemory(
  db: Queryable,
  memory: RetentionMemory,
  now: number,
): Promise<void> {
  const state = Object.fromEntries(
    Object.entries(memory).map(([kind, { failedAt, ...rest }]) => [
      kind,
      failedAt === undefined ? rest : { ...rest, failed_at: failedAt },
    ]),
  );
  await saveState(db, RETENTION, PROGRESS, state, now);
}
