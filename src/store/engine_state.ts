import {
  exactOptional,
  maxValue,
  minValue,
  nullish,
  number,
  object,
  pipe,
  regex,
  safeParse,
  string,
  transform,
  union,
} from "valibot";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmState } from "../core/quarantine.ts";
import type { Settling } from "../core/reconcile.ts";
import type { Pending } from "../core/settle.ts";
import type { SourceState } from "../core/source_state.ts";
import { isJsonObject, type JsonObject, safeText } from "../text/json.ts";
import type { Queryable, Transaction } from "./database.ts";
import { insertEntries, LIVE, REPLACE_NAMED } from "./entry.ts";

const QUARANTINE = "quarantine";
const SOURCE = "source";
const PENDING = "pending";

/** The row's name, cut to the length of its column. */
function stateName(what: string, id: string): string {
  return [...safeText(`state:${what}:${id}`)].slice(0, 255).join("");
}

/** What the engine keeps between ticks, by the row's name. */
export type States = ReadonlyMap<string, JsonObject>;

/** All that the engine keeps between ticks; unreadable rows are skipped. */
export async function readStates(db: Queryable): Promise<States> {
  const rows = await db.query(
    `SELECT name, data FROM entry
     WHERE kind = 'engine_state' AND status = 'active' AND name IS NOT NULL AND ${LIVE}`,
  );
  const states = new Map<string, JsonObject>();
  for (const { name, data } of rows) if (isJsonObject(data)) states.set(String(name), data);
  return states;
}

/** Writes a state; undefined empties its row, which stays for the next time. */
export async function saveState(
  tx: Transaction,
  what: string,
  id: string,
  state: object | undefined,
  now: number,
): Promise<void> {
  const title = `State of ${what} ${id}`;
  const data = { entry_id: `state_${what}_${id}`, ...state };
  const status = state === undefined ? "done" : "active";
  const set = { kind: "engine_state", status, at: now, onConflict: REPLACE_NAMED } as const;
  await insertEntries(tx, set, [{ name: stateName(what, id), title, data }]);
}

/** Rows of earlier versions have more keys, which are ignored. */
const AlarmStateData = object({
  failures: number(),
  cause: string(),
  fingerprint: string(),
  quarantine: pipe(
    nullish(
      object({
        since: number(),
        pause: number(),
        wait: number(),
        tried_at: number(),
        looked_at: number(),
      }),
      null,
    ),
    transform((row) => {
      if (row === null) return undefined;
      const { tried_at: triedAt, looked_at: lookedAt, ...rest } = row;
      return { ...rest, triedAt, lookedAt };
    }),
  ),
});

/** One of an earlier version about a source that responds again has no cause. */
const SourceStateData = object({ since: number(), cause: string() });

const PendingData = pipe(
  object({
    first_seen: number(),
    // Earlier versions had a number of outcomes in a row.
    hits: union([
      pipe(string(), regex(/^[01]{1,100}$/)),
      pipe(
        number(),
        minValue(1),
        maxValue(100),
        transform((count) => "1".repeat(count)),
      ),
    ]),
    subject: exactOptional(string()),
  }),
  transform(({ first_seen: firstSeen, ...rest }) => ({ firstSeen, ...rest })),
);

/** The state of an alarm, by its name; undefined if it is healthy or its row is unreadable. */
export function alarmStateOf(states: States, alarm: string): AlarmState | undefined {
  const parsed = safeParse(AlarmStateData, states.get(stateName(QUARANTINE, alarm)));
  return parsed.success ? parsed.output : undefined;
}

/** Saves the state of an alarm; undefined if it is healthy. */
export async function saveAlarmState(
  tx: Transaction,
  alarm: string,
  state: AlarmState | undefined,
  now: number,
): Promise<void> {
  const { triedAt, lookedAt, ...rest } = state?.quarantine ?? {};
  const quarantine = state?.quarantine && { ...rest, tried_at: triedAt, looked_at: lookedAt };
  await saveState(tx, QUARANTINE, alarm, state && { ...state, quarantine }, now);
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
  tx: Transaction,
  source: string,
  state: SourceState | undefined,
  now: number,
): Promise<void> {
  await saveState(tx, SOURCE, source, state, now);
}

/** What an alarm detects and has not settled, and which events are about to clear; unreadable entries are skipped. */
export function settlingOf(states: States, alarm: string): Settling {
  const { pending, clearing } = states.get(stateName(PENDING, alarm)) ?? {};
  return { pending: readPending(pending), clearing: readPending(clearing) };
}

function readPending(rows: unknown): Pending {
  const entries = Object.entries(isJsonObject(rows) ? rows : {}).map(([key, row]) => {
    return [key, safeParse(PendingData, row)] as const;
  });
  return new Map(
    entries.flatMap(([key, parsed]) => (parsed.success ? [[key, parsed.output]] : [])),
  );
}

/** Saves what `settlingOf` reads. */
export async function saveSettling(
  tx: Transaction,
  alarm: string,
  { pending, clearing }: Settling,
  now: number,
): Promise<void> {
  const state = {
    ...(pending.size > 0 && { pending: pendingRows(pending) }),
    ...(clearing.size > 0 && { clearing: pendingRows(clearing) }),
  };
  const isEmpty = pending.size + clearing.size === 0;
  await saveState(tx, PENDING, alarm, isEmpty ? undefined : state, now);
}

function pendingRows(pending: Pending): object {
  const entries = [...pending].map(([key, { firstSeen, ...rest }]) => {
    return [key, { first_seen: firstSeen, ...rest }];
  });
  return Object.fromEntries(entries);
}

/** What is stored of a channel that delivered. */
export const DELIVERED = "";

/** Why channels did not deliver in the turn of the alarm `engine` in the last tick, by channel; or since, in a test. */
export function lateOf(states: States): ReadonlyMap<string, string> {
  const { channels } = states.get(stateName("late", ENGINE)) ?? {};
  const entries = Object.entries(isJsonObject(channels) ? channels : {});
  return new Map(
    entries.flatMap(([name, error]) => (typeof error === "string" ? [[name, error]] : [])),
  );
}

export async function saveLate(
  tx: Transaction,
  channels: ReadonlyMap<string, string>,
  now: number,
): Promise<void> {
  const state = channels.size === 0 ? undefined : { channels: Object.fromEntries(channels) };
  await saveState(tx, "late", ENGINE, state, now);
}

/** Saves the last certain time of this host's clock, for `lastTimes`; undefined once it is no longer in doubt. */
export async function saveCertain(
  tx: Transaction,
  at: number | undefined,
  now: number,
): Promise<void> {
  await saveState(tx, "clock", "engine", at === undefined ? undefined : { certain_at: at }, now);
}
