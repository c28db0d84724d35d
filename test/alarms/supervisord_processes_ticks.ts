import { resolveParams } from "../../src/core/params.ts";
import type { Requester } from "../../src/source/requester.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { outcomeOf, type WholeOutcome } from "../support/run_detect.ts";
import { loadAlarm } from "./run_alarm.ts";

/** Runs supervisord_processes as one tick after the other would: each remembers for the next. */
export async function supervisordTicks(given: JsonObject = {}) {
  const module = await loadAlarm("supervisord_processes");
  const { params, missing, faults, unknown } = resolveParams(module.params, given);
  const wrong = [...missing, ...faults, ...unknown];
  if (wrong.length > 0) throw new Error(wrong.join("; "));
  let memory: { readonly at: number; readonly value: JsonValue } | undefined;
  let firing: readonly string[] = [];
  return async (
    now: number,
    sources: Readonly<Record<string, Requester>>,
  ): Promise<WholeOutcome> => {
    const outcome = await outcomeOf(module.detect, {
      params,
      stages: module.stages,
      sources: new Map(Object.entries(sources)),
      now,
      timeout: 60,
      previous: async () => memory,
      firing: () => firing,
    });
    const { keys, scopes } = outcome;
    const isKept = (key: string) => [...scopes.keys()].some((prefix) => key.startsWith(prefix));
    firing = [...new Set([...keys, ...firing.filter(isKept)])];
    if (outcome.memory !== undefined) memory = { at: now, value: JSON.parse(outcome.memory) };
    return outcome;
  };
}

/** What an outcome says of each entity: dedupe key → subject. */
export function subjectsOf({ detections }: WholeOutcome): { readonly [key: string]: string } {
  return Object.fromEntries(detections.map(({ dedupeKey, subject }) => [dedupeKey, subject]));
}

/** The prefixes of which an outcome says nothing, and whether it says why in a detection. */
export function scopesOf({ scopes }: WholeOutcome): { readonly [prefix: string]: boolean } {
  return Object.fromEntries([...scopes].map(([prefix, { isReported }]) => [prefix, isReported]));
}
