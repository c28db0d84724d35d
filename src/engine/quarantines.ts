import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import type { ModuleFile } from "../alarm/discover.ts";
import type { AlarmRow } from "../core/model.ts";
import { decideTry, type TryDecision } from "../core/quarantine.ts";
import { alarmStateOf, type States } from "../store/saved_states.ts";

/** Which quarantined alarms run in this tick. */
export interface Quarantines {
  decide(row: AlarmRow): TryDecision;
  /** Changes when somebody changes the module file or what the row sets. */
  fingerprint(row: AlarmRow): string;
  /** Consecutive failures that quarantine an alarm; 0 is never. */
  readonly after: number;
}

export interface QuarantineFacts {
  readonly states: States;
  readonly modules: ReadonlyMap<string, ModuleFile>;
  /** Alarms that the operator runs by name. */
  readonly only: ReadonlySet<string> | undefined;
  readonly now: number;
  readonly after: number;
}

export function readQuarantines(facts: QuarantineFacts): Quarantines {
  const { states, modules, only, now, after } = facts;
  const fingerprint = ({ module, params, limits }: AlarmRow): string => {
    const file = modules.get(module);
    const stamp = file && [file.path, file.error, ...stampOf(file.path)];
    const text = JSON.stringify([module, params, limits, stamp]);
    return createHash("sha256").update(text).digest("hex").slice(0, 32);
  };
  return {
    after,
    fingerprint,
    decide: (row) => {
      const state = alarmStateOf(states, row.name);
      if (state?.quarantine === undefined) return { run: true, reason: "not quarantined" };
      const named = only?.has(row.name) ?? false;
      return decideTry({ state, fingerprint: fingerprint(row), named, now, after });
    },
  };
}

function stampOf(path: string): readonly number[] {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? [] : [stats.mtimeMs, stats.size];
}
