import * as v from "valibot";
import type { JsonObject } from "../core/json.ts";
import type { AlarmMemory } from "../core/quarantine.ts";
import type { RetentionMemory } from "../core/retention.ts";
import type { SourceMemory } from "../core/source_trouble.ts";
import type { Queryable } from "./database.ts";
import { saveState, stateName } from "./states.ts";

/** Memories as rows hold them, and back. A row that makes no sense is no memory: it is not worth a tick. */

const QUARANTINE = "quarantine";
const SOURCE = "source";

const time = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const AlarmState = v.object({
  failures: count,
  cause: v.string(),
  fingerprint: v.string(),
  quarantine: v.nullish(
    v.object({
      since: time,
      pause: v.pipe(count, v.minValue(1)),
      wait: count,
      tried_at: time,
      looked_at: time,
      told: v.boolean(),
    }),
  ),
  recovery: v.nullish(v.object({ since: time, until: time, told: v.boolean() })),
});

const SourceState = v.variant("kind", [
  v.object({ kind: v.literal("trouble"), since: time, cause: v.string(), told: v.boolean() }),
  v.object({ kind: v.literal("recovered"), since: time, until: time }),
]);

export type States = ReadonlyMap<string, JsonObject>;

/** What is remembered of an alarm, by its name. */
export function alarmMemory(states: States, alarm: string): AlarmMemory | undefined {
  const parsed = v.safeParse(AlarmState, states.get(stateName(QUARANTINE, alarm)));
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
  const parsed = v.safeParse(SourceState, states.get(stateName(SOURCE, source)));
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

const progress = v.fallback(
  v.optional(
    v.pipe(
      v.object({ before: time, reached: time, failed_at: v.optional(time) }),
      v.transform(({ failed_at: failedAt, ...rest }) => ({ ...rest, failedAt })),
    ),
  ),
  undefined,
);
const RetentionState = v.object({
  engine_runs: progress,
  cleared_events: progress,
  notifications: progress,
});

/** How far the removal of old rows has come. */
export function retentionMemory(states: States): RetentionMemory {
  const parsed = v.safeParse(RetentionState, states.get(stateName(RETENTION, PROGRESS)));
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
