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
import type { JsonObject } from "../core/json.ts";
import type { AlarmMemory } from "../core/quarantine.ts";
import type { RetentionMemory } from "../core/retention.ts";
import type { SourceMemory } from "../core/source_trouble.ts";
import type { Queryable } from "./database.ts";
import { saveState, stateName } from "./states.ts";

/** Memories as rows hold them, and back. A row that makes no sense is no memory: it is not worth a tick. */

const QUARANTINE = "quarantine";
const SOURCE = "source";

const time = pipe(number(), finite());
const count = pipe(number(), safeInteger(), minValue(0));

const AlarmState = object({
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
      told: boolean(),
    }),
  ),
  recovery: nullish(object({ since: time, until: time, told: boolean() })),
});

const SourceState = variant("kind", [
  object({ kind: literal("trouble"), since: time, cause: string(), told: boolean() }),
  object({ kind: literal("recovered"), since: time, until: time }),
]);

export type States = ReadonlyMap<string, JsonObject>;

/** What is remembered of an alarm, by its name. */
export function alarmMemory(states: States, alarm: string): AlarmMemory | undefined {
  const parsed = safeParse(AlarmState, states.get(stateName(QUARANTINE, alarm)));
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
          told: quarantine.told,
        }
      : undefined,
    recovery: recovery ?? undefined,
  };
}

/** Keeps what is remembered of an alarm; undefined forgets it. */
export async function saveAlarmMemory(
  db: Queryable,
  alarm: string,
  memory: AlarmMemory | undefined,
  now: number,
): Promise<void> {
  await saveState(db, QUARANTINE, alarm, memory && alarmState(memory), now);
}

function alarmState({ failures, cause, fingerprint, quarantine, recovery }: AlarmMemory) {
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
          told: quarantine.told,
        }
      : null,
    recovery: recovery ? { ...recovery } : null,
  };
}

/** What is remembered of a source, by its name. */
export function sourceMemory(states: States, source: string): SourceMemory | undefined {
  const parsed = safeParse(SourceState, states.get(stateName(SOURCE, source)));
  return parsed.success ? parsed.output : undefined;
}

/** All sources that something is remembered of. */
export function sourceMemories(
  states: States,
): readonly { readonly source: string; readonly memory: SourceMemory }[] {
  const prefix = stateName(SOURCE, "");
  return [...states.keys()]
    .filter((name) => name.startsWith(prefix))
    .sort()
    .flatMap((name) => {
      const source = name.slice(prefix.length);
      const memory = sourceMemory(states, source);
      return memory === undefined ? [] : [{ source, memory }];
    });
}

/** Keeps what is remembered of a source; undefined forgets it. */
export async function saveSourceMemory(
  db: Queryable,
  source: string,
  memory: SourceMemory | undefined,
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
