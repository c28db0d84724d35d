import type { Scalar, Track } from "swf-alarms";
import { clientScope, type DaqStatus, daqKey } from "./enrgdaq.ts";
import { idsOf } from "./enrgdaq_jobs.ts";
import type { Rule } from "./enrgdaq_rule.ts";

/** Client → its status, of those that have answered. */
export type Statuses = ReadonlyMap<string, DaqStatus>;

/** What a rule looks at in this tick. */
export type Sight =
  | { readonly kind: "value"; readonly value: Scalar }
  /** The job is there, but has no such count: for some seconds after its start. */
  | { readonly kind: "no value" }
  /** The client answers, and has no such job. */
  | { readonly kind: "no job" }
  /** The client does not answer, and no other client has its counts. */
  | { readonly kind: "unknown" };

/** A client that is dead says nothing of itself, but the others still have its latest counts. */
export function sightOf({ type, statsKey }: Rule, id: string, statuses: Statuses): Sight {
  const own = statuses.get(id);
  const all = own === undefined ? [...statuses.values()] : [own];
  const counts = all.map((each) => each.counts.get(id)?.get(type)).find((row) => row);
  const jobs = (own?.jobs ?? []).filter((job) => job.type === type && job.supervisor === id);
  const restart = own?.restarts.get(type);
  if (statsKey === "restart_stats") {
    // Its count stays 0 in a crash loop. What a restart changes are the ids.
    if (restart !== undefined) return { kind: "value", value: `restart at ${restart}` };
    if (jobs.length > 0) return { kind: "value", value: idsOf(jobs) };
    return own === undefined ? { kind: "unknown" } : { kind: "no job" };
  }
  const value = counts?.[statsKey] ?? null;
  if (value !== null) return { kind: "value", value };
  if (own === undefined) return { kind: "unknown" };
  return jobs.length > 0 || restart !== undefined ? { kind: "no value" } : { kind: "no job" };
}

export function ruleKey({ type, statsKey, alertIf, text }: Rule, id: string): string {
  return clientScope(id) + daqKey("rule", type, statsKey, alertIf, text);
}

/** The key of a sample that tells since when a rule is looked at. */
export function knownKey(key: string): string {
  return `known:${key}`;
}

/** What a Track needs of a sight. */
export function sampleRule(rule: Rule, key: string, sight: Sight): readonly [string, Scalar][] {
  const known: [string, Scalar] = [knownKey(key), true];
  if (sight.kind === "value") return [known, [key, sight.value]];
  // A job that is there or expected and has no count is silent. Its first count is then not taken for a change.
  const isExpected = sight.kind === "no value" || (sight.kind === "no job" && rule.client);
  return rule.alertIf === "unsatisfied" && isExpected ? [known, [key, null]] : [];
}

/** Whether a rule is to be reported; undefined if that cannot be known. */
export function judgeRule(
  { wants, alertIf }: Rule,
  key: string,
  sight: Sight,
  track: Track,
  now: number,
): boolean | undefined {
  if ("amount" in wants) {
    if (sight.kind !== "value") return sight.kind === "unknown" ? undefined : false;
    const isReached = Number(sight.value) >= wants.amount;
    return isReached === (alertIf === "satisfied");
  }
  const since = track.since(key);
  if (since === undefined) return sight.kind === "unknown" ? undefined : false;
  const isRecent = now - since < wants.seconds;
  // A count that was last seen to change too long ago is silent, also while the client cannot be asked.
  if (alertIf === "unsatisfied") return !isRecent;
  if (sight.kind === "unknown") return undefined;
  return isRecent && since > (track.since(knownKey(key)) ?? since);
}
