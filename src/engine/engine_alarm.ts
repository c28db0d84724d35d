import type { Alarm } from "../alarm/load_alarms.ts";
import type { ConfiguredChannel } from "../channel/registry.ts";
import { parseDetection } from "../core/detection.ts";
import { isUnknownToEngine, observeEngine } from "../core/engine_alarm.ts";
import type { AlarmFacts, EngineFacts } from "../core/engine_facts.ts";
import { ENGINE } from "../core/event_key.ts";
import type { AlarmRow, Outcome, SafeDetection, Team } from "../core/model.ts";
import { resolveRecipients } from "../core/recipients.ts";
import { NOTHING_DETECTED } from "../core/reconcile.ts";
import { AT_ONCE, type SettleRule } from "../core/settle.ts";
import { DELIVERED, lateOf, type States, saveLate, settlingOf } from "../store/engine_state.ts";
import { errorText } from "../text/describe.ts";
import type { ChannelReport } from "./channel_queue.ts";
import { type NotifyFacts, notify } from "./notify.ts";
import { record } from "./record.ts";
import { type AlarmResult, type RanResult, ranResult } from "./result.ts";
import type { SourceReport } from "./source_states.ts";

export interface EngineAlarmFacts extends NotifyFacts {
  readonly row: AlarmRow;
  readonly states: States;
  readonly results: readonly AlarmResult[];
  readonly sources: SourceReport;
  readonly unreachableAfter: number;
  readonly channels: ReadonlyMap<string, ConfiguredChannel>;
  readonly clockDoubt: string | undefined;
  /** Whether the tick ran all alarms, had the time to, and delivers. */
  readonly isWhole: boolean;
}

/** Records and notifies what went wrong in this tick, as an alarm like any other. It runs last. Never throws. */
export async function runEngineAlarm(facts: EngineAlarmFacts): Promise<RanResult> {
  const { row, states, run, db, teams, queues } = facts;
  const late = lateOf(states);
  const before = new Map([...queues].map(([name, queue]) => [name, queue?.report]));
  const engineFacts = factsOf(facts, late);
  const { outcome, rules } = engineOutcome(engineFacts);
  const errors: string[] = [];
  const save = async (work: () => Promise<void>): Promise<void> => {
    try {
      if (run.mode !== "plan") await work();
    } catch (error) {
      errors.push(`cannot store the state of ${ENGINE}: ${errorText(error)}`);
    }
  };
  const alarm: Alarm = {
    row,
    module: undefined,
    readiness: { kind: "ready", params: row.params, notes: [], typos: [] },
  };
  const recorded = await record(alarm, {
    db,
    run,
    detect: async () => outcome,
    teams,
    settling: settlingOf(states, ENGINE),
    settleOf: (key) => rules.get(key) ?? AT_ONCE,
    // What has ended at once is true, however much of it there is.
    clearGuardShare: 1,
    hasEvents: facts.unsent.hasEngineEvents,
  });
  const notified = await notify(row, recorded, facts);
  const after = [...queues].flatMap(([name, queue]) => {
    const [report, known] = [queue?.report, before.get(name)];
    const isNews = isTried(report) && (!isTried(known) || report?.error !== known?.error);
    return isNews ? [[name, report?.error ?? DELIVERED] as const] : [];
  });
  // What is delivered ends an event in a whole tick only; until then it is kept.
  const kept = facts.isWhole ? [] : [...late].filter(([, error]) => error === DELIVERED);
  if (after.length + late.size > 0)
    await save(() => db.transaction((tx) => saveLate(tx, new Map([...kept, ...after]), run.now)));
  const recipients = resolveRecipients(row.recipients, teams).addresses;
  const result = ranResult({
    alarm,
    recorded,
    notified,
    recipients,
    outOfTime: false,
    mode: run.mode,
  });
  return { ...result, errors: [...result.errors, ...errors] };
}

/** What is wrong now, and how long each of it must last. */
function engineOutcome(facts: EngineFacts) {
  const detections = new Map<string, SafeDetection>();
  const rules = new Map<string, SettleRule>();
  for (const [key, { subject, body, settle, recipients }] of observeEngine(facts)) {
    const parsed = parseDetection({ dedupeKey: key, subject, body });
    if (!parsed.ok || !("detection" in parsed)) continue;
    const { dedupeKey } = parsed.detection;
    // Those of a module have a limit; an alarm may have more.
    detections.set(dedupeKey, { ...parsed.detection, recipients });
    rules.set(dedupeKey, settle);
  }
  const outcome: Outcome = {
    ...NOTHING_DETECTED,
    keys: new Set(detections.keys()),
    detections,
    unknown: (key) => isUnknownToEngine(facts, key),
  };
  return { outcome, rules };
}

function isTried(report: ChannelReport | undefined): boolean {
  return report !== undefined && (report.attempted || report.error !== undefined);
}

/** `late` is what became of channels in this alarm's turn in the tick before. */
function factsOf(facts: EngineAlarmFacts, late: ReadonlyMap<string, string>): EngineFacts {
  const { row, results, run, queues, teams, sources, channels } = facts;
  const enabled = [row, ...results.map((result) => result.row)].filter((each) => each.enabled);
  const ran = results.filter((result) => result.kind === "ran");
  return {
    now: run.now,
    isWhole: facts.isWhole,
    sources: sources.facts,
    unreachableAfter: facts.unreachableAfter,
    alarms: results.map((result) => alarmFacts(result, teams)),
    channels: [...channels].map(([name, { faults }]) => {
      if (faults.length > 0) return { name, attempted: true, error: faults.join("; ") };
      const report = queues.get(name)?.report;
      if (report !== undefined && isTried(report)) return { name, ...report };
      const before = late.get(name);
      return { name, attempted: before !== undefined, error: before || undefined };
    }),
    recipients: [
      ...enabled.flatMap(({ name, recipients }) =>
        resolveRecipients(recipients, teams).wrong.map((wrong) => ({ ...wrong, alarm: name })),
      ),
      ...ran.flatMap(({ row: { name }, refused }) =>
        refused.map((each) => ({ ...each, alarm: name })),
      ),
    ],
    reached: new Set([...queues.values()].flatMap((queue) => [...(queue?.reached ?? [])])),
    current: new Set(
      enabled.flatMap(({ recipients }) => resolveRecipients(recipients, teams).addresses),
    ),
    crashed: run.crashed,
    starts: run.starts,
    clockDoubt: facts.clockDoubt,
  };
}

function alarmFacts(result: AlarmResult, teams: ReadonlyMap<string, Team>): AlarmFacts {
  const { row } = result;
  const named = { name: row.name, title: row.title, recipients: row.enabled ? row.recipients : [] };
  if (result.kind !== "ran")
    return { ...named, errors: [], cause: undefined, quarantine: undefined, looked: true };
  const { quarantine, nextTry: next = "" } = result;
  // Recipients have keys of their own.
  const ofRecipients = new Set(resolveRecipients(row.recipients, teams).faults);
  return {
    ...named,
    errors: result.ownErrors.filter((error) => !ofRecipients.has(error)),
    cause: result.outcome.cause,
    quarantine: quarantine && { ...quarantine, next },
    looked: !result.outOfTime && !result.isSkipped,
  };
}
