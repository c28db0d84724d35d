import * as v from "valibot";
import type { Entry } from "./rows.ts";

/**
 * The rows as contract/entry-rows.md 3.3 describes them, every key with its type; the dashboards read
 * them so. Keys beyond these are the engine's own and allowed.
 */
const uuid = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** Epoch seconds, neither milliseconds nor a text. */
const time = v.pipe(v.number(), v.minValue(1e9), v.maxValue(1e10));

const EventData = v.looseObject({
  entry_id: v.pipe(v.string(), v.startsWith("event_")),
  fire_time: time,
  clear_time: v.nullable(time),
  last_seen: time,
  dedupe_key: v.string(),
  subject: v.string(),
  recipients: v.array(v.string()),
  alarm_config_id: uuid,
  last_notified: v.optional(time),
});

const summary = {
  enabled: v.boolean(),
  alarms_seen: count,
  errors: v.picklist([0, 1]),
  error_message: v.string(),
};
const PerAlarm = v.looseObject({
  ...summary,
  bundle_new: count,
  bundle_renotify: count,
  bundle_sent: v.boolean(),
  bundle_subject: v.string(),
  bundle_new_event_ids: v.array(uuid),
  bundle_renotify_event_ids: v.array(uuid),
  params: v.record(v.string(), v.unknown()),
  recipients: v.array(v.string()),
});
/** The short form: dashboards read the other keys as nothing where they are missing. */
const ShortPerAlarm = v.strictObject({ ...summary, not_configured: v.optional(v.string()) });
const NOTHING = {
  bundle_new: 0,
  bundle_renotify: 0,
  bundle_sent: false,
  bundle_subject: "",
  bundle_new_event_ids: [],
  bundle_renotify_event_ids: [],
  params: {},
  recipients: [],
};
export type PerAlarm = v.InferOutput<typeof PerAlarm>;

const RunData = v.looseObject({
  entry_id: v.pipe(v.string(), v.regex(/^run_\d{10}$/)),
  started_at: time,
  finished_at: time,
  alarms_run: count,
  alarms_seen: count,
  notifications_sent: count,
  errors: count,
  error_details: v.string(),
  per_alarm: v.record(v.string(), v.union([PerAlarm, ShortPerAlarm])),
});
export type RunData = v.InferOutput<typeof RunData>;

const common = {
  name: v.null(),
  priority: v.null(),
  archived: v.literal(false),
  deleted_at: v.null(),
  parent_id: v.null(),
  context_id: v.literal("swf-alarms"),
  timestamp_created: time,
  timestamp_modified: time,
};

const EventRow = v.looseObject({
  ...common,
  id: uuid,
  status: v.literal("active"),
  data: EventData,
});
const RunRow = v.looseObject({
  ...common,
  id: uuid,
  content: v.literal(""),
  title: v.pipe(v.string(), v.regex(/^Engine run \d{8} \d\d:\d\d:\d\d UTC$/)),
  status: v.literal("done"),
  data: RunData,
});

/** The event's data; throws where the row breaks the contract. */
export function eventData(row: Entry): v.InferOutput<typeof EventData> {
  return v.parse(EventRow, row).data;
}

/** A finished run's data; throws where the row breaks the contract. */
export function runData(row: Entry): RunData {
  return v.parse(RunRow, row).data;
}

/** What a finished run says of one alarm, as dashboards read it; throws where it says nothing. */
export function perAlarm(row: Entry, entryId: string): PerAlarm {
  const found = runData(row).per_alarm[entryId];
  if (found === undefined) throw new Error(`the run has no entry of ${entryId}`);
  return { ...NOTHING, ...found };
}
