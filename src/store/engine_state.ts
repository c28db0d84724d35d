import { createHash } from "node:crypto";
import {
  boolean,
  finite,
  literal,
  minValue,
  nullish,
  number,
  object,
  optional,
  parse,
  pipe,
  safeInteger,
  safeParse,
  string,
  unknown,
  variant,
} from "valibot";
import type { AlarmState } from "../core/quarantine.ts";
import type { SourceState } from "../core/source_state.ts";
import { isJsonObject, type JsonObject, safeText } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT, insertEntries } from "./entry.ts";

const QUARANTINE = "quarantine";
const SOURCE = "source";
/** The length of the column `name`. */
const MAX_NAME = 255;

/** `state:<what>:<id>`, the row's name; one that is too long is cut and ends with its digest. */
export function stateName(what: string, id: string): string {
  const name = safeText(`state:${what}:${id}`);
  if ([...name].length <= MAX_NAME) return name;
  const digest = createHash("sha256").update(name).digest("hex");
  return `${[...name].slice(0, MAX_NAME - digest.length - 1).join("")}…${digest}`;
}

/** What the engine keeps between ticks, by the row's name. */
export type States = ReadonlyMap<string, JsonObject>;

const StateRow = object({ name: string(), data: unknown() });

/** All that the engine keeps between ticks; unreadable rows are skipped. */
export async function readStates(db: Queryable): Promise<States> {
  const rows = await db.query(
    `SELECT name, data FROM entry
     WHERE context_id = '${ALARMS_CONTEXT}' AND kind = 'engine_state' AND name IS NOT NULL
       AND status = 'active' AND archived = false AND deleted_at IS NULL`,
  );
  const states = new Map<string, JsonObject>();
  for (const row of rows) {
    const { name, data } = parse(StateRow, row);
    if (isJsonObject(data)) states.set(name, data);
  }
  return states;
}

/** Writes a state; undefined empties its row, which stays for the next time. */
export async function saveState(
  db: Queryable,
  what: string,
  id: string,
  state: object | undefined,
  now: number,
): Promise<void> {
  const title = `State of ${what} ${id}`;
  const data = { entry_id: `state_${what}_${id}`, ...state };
  const onConflict = `ON CONFLICT (context_id, name) WHERE name IS NOT NULL DO UPDATE
       SET data = EXCLUDED.data, status = EXCLUDED.status, kind = EXCLUDED.kind, archived = false,
           deleted_at = NULL, timestamp_modified = EXCLUDED.timestamp_modified`;
  const status = state === undefined ? "done" : "active";
  await insertEntries(db, { kind: "engine_state", status, at: now, onConflict }, [
    { name: stateName(what, id), title, data },
  ]);
}

const time = pipe(number(), finite());
const count = pipe(number(), safeInteger(), minValue(0));
/** Missing in rows of earlier versions, most of which had been notified. */
const wasNotified = optional(boolean(), true);

const AlarmStateData = object({
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

const SourceStateData = variant("kind", [
  object({ kind: literal("unreachable"), since: time, cause: string(), notified: wasNotified }),
  object({ kind: literal("recovered"), since: time, until: time }),
]);

/** The state of an alarm, by its name; undefined if it is healthy or its row is unreadable. */
export function alarmStateOf(states: States, alarm: string): AlarmState | undefined {
  const parsed = safeParse(AlarmStateData, states.get(stateName(QUARANTINE, alarm)));
  if (!parsed.success) return undefined;
  const { quarantine, recovery, ...state } = parsed.output;
  if (!quarantine) return { ...state, quarantine: undefined, recovery: recovery ?? undefined };
  const { tried_at: triedAt, looked_at: lookedAt, ...rest } = quarantine;
  const renamed = { ...rest, triedAt, lookedAt };
  return { ...state, quarantine: renamed, recovery: recovery ?? undefined };
}

/** Saves the state of an alarm; undefined if it is healthy. */
export async function saveAlarmState(
  db: Queryable,
  alarm: string,
  state: AlarmState | undefined,
  now: number,
): Promise<void> {
  await saveState(db, QUARANTINE, alarm, state && alarmStateData(state), now);
}

function alarmStateData({ quarantine, recovery, ...state }: AlarmState) {
  const { triedAt, lookedAt, ...rest } = quarantine ?? {};
  const renamed = { ...rest, tried_at: triedAt, looked_at: lookedAt };
  return { ...state, quarantine: quarantine ? renamed : null, recovery: recovery ?? null };
}

/** The state of a source, by its name; undefined if it works or its row is unreadable. */
export function sourceStateOf(states: States, source: string): SourceState | undefined {
  const parsed = safeParse(SourceStateData, states.get(stateName(SOURCE, source)));
  return parsed.success ? parsed.output : undefined;
}

/** The states of all sources that have one. */
export function sourceStates(
  states: States,
): readonly { readonly source: string; readonly state: SourceState }[] {
  const prefix = stateName(SOURCE, "");
  const names = [...states.keys()].filter((name) => name.startsWith(prefix)).sort();
  return names.flatMap((name) => {
    const source = name.slice(prefix.length);
    const state = sourceStateOf(states, source);
    return state === undefined ? [] : [{ source, state }];
  });
}

/** Saves the state of a source; undefined if it works. */
export async function saveSourceState(
  db: Queryable,
  source: string,
  state: SourceState | undefined,
  now: number,
): Promise<void> {
  await saveState(db, SOURCE, source, state, now);
}
