import { alarmName } from "../core/event_key.ts";
import type { ListedRun } from "../store/engine_runs.ts";
import type { ListedSkip } from "../store/skipped_ticks.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import { jsonTime } from "./output.ts";

/** A tick in JSON, with the keys that `skipFacts` returns too. */
export function runFacts(run: ListedRun) {
  const ended = run.crashedAt === undefined ? "unfinished" : "crashed";
  return {
    id: run.id,
    state: run.finishedAt === undefined ? ended : "finished",
    started_at: jsonTime(run.startedAt),
    finished_at: jsonTime(run.finishedAt),
    crashed_at: jsonTime(run.crashedAt),
    alarms_run: run.alarmsRun,
    detected: run.alarmsSeen,
    notifications_sent: run.notificationsSent,
    ...errorFacts(run),
    alarms: Object.entries(run.perAlarm).map(([entryId, record]) => {
      return alarmRunFacts(alarmName(entryId), isJsonObject(record) ? record : {});
    }),
    host: null,
    pid: null,
    reason: null,
  };
}

/** A tick that did nothing because another one was running. */
export function skipFacts({ id, at, host, pid, reason }: ListedSkip) {
  return {
    id,
    state: "skipped",
    started_at: jsonTime(at),
    finished_at: null,
    crashed_at: null,
    alarms_run: 0,
    detected: 0,
    notifications_sent: 0,
    error_count: 0,
    errors: [],
    alarms: [],
    host,
    pid,
    reason,
  };
}

/** The errors of a tick: the number that it recorded, and one line for each. */
export function errorFacts(run: Pick<ListedRun, "errors" | "errorDetails">) {
  const errors = run.errorDetails === "" ? [] : run.errorDetails.split("\n\n");
  return { error_count: run.errors, errors };
}

/** The record of an alarm in a tick. Keys of the row that have no other name in docs/json.md come last, as they are. */
function alarmRunFacts(alarm: string, record: JsonObject) {
  const {
    enabled,
    outcome,
    alarms_seen: detected,
    errors: errorCount,
    error_message: error,
    not_configured,
    mail: reason,
    bundle_subject: subject,
    bundle_sent: sent,
    bundle_new: fresh,
    bundle_renotify: continuing,
    bundle_cleared: cleared,
    bundle_new_event_ids: new_event_ids,
    bundle_renotify_event_ids: continuing_event_ids,
    recipients,
    channels,
    quarantine,
    ...rest
  } = record;
  return {
    alarm,
    enabled,
    outcome,
    detected,
    error_count: errorCount,
    error: error === "" ? null : error,
    not_configured,
    reason,
    subject: subject === "" ? null : subject,
    sent,
    counts: fresh === undefined ? null : { new: fresh, continuing, cleared },
    new_event_ids,
    continuing_event_ids,
    recipients,
    channels: isJsonObject(channels) ? Object.entries(channels).map(channelRunFacts) : null,
    quarantine: isJsonObject(quarantine) ? quarantineFacts(quarantine) : null,
    ...rest,
  };
}

function channelRunFacts([channel, record]: readonly [string, JsonValue | undefined]) {
  const { mail: reason, ...rest } = isJsonObject(record) ? record : {};
  return { channel, reason, ...rest };
}

function quarantineFacts({ since, ...rest }: JsonObject) {
  return { since: jsonTime(typeof since === "number" ? since : undefined), ...rest };
}
