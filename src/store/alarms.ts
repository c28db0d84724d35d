import { randomUUID } from "node:crypto";
import { alarmEntryId, alarmName, ENGINE, isAlarmName } from "../core/event_key.ts";
import type { AlarmRow } from "../core/model.ts";
import { recipientTokens } from "../core/recipients.ts";
import { quote } from "../text/describe.ts";
import { isJsonObject, type JsonObject, safeText } from "../text/json.ts";
import {
  parseBoolean,
  parseChannels,
  parseEnabled,
  parseLimits,
  parseRenotify,
  parseSettleKey,
  parseSeverity,
} from "./alarm_settings.ts";
import type { Queryable, Row, Transaction } from "./database.ts";
import { ALARMS_CONTEXT, entryTitle, insertEntries, jsonText, keepVersion } from "./entry.ts";

/**
 * All alarm configurations, archived ones too, by `entry_id`; if two rows share one, the oldest comes first.
 * `invalid` are errors about rows that do not name an alarm, `deleted` the alarms whose row was deleted:
 * their modules are not new.
 */
export async function alarmRows(db: Queryable) {
  const found = await db.query(
    `SELECT id, title, content, data, archived, deleted_at IS NOT NULL AS deleted FROM entry
     WHERE context_id = '${ALARMS_CONTEXT}' AND kind = 'alarm'
     ORDER BY data->>'entry_id', timestamp_created, id`,
  );
  const rows: AlarmRow[] = [];
  const invalid: string[] = [];
  const deleted: AlarmRow[] = [];
  for (const row of found) {
    const parsed = parseAlarmRow(row);
    if (typeof parsed === "string") {
      if (row.archived !== true && row.deleted !== true) invalid.push(parsed);
    } else if (row.deleted === true) deleted.push(parsed);
    else rows.push(parsed);
  }
  return { rows, invalid, deleted };
}

/**
 * Parses a row that people and other programs edit: each value that cannot be read is a fault, and a safe
 * value takes its place. Returns an error message if the row does not name an alarm.
 */
export function parseAlarmRow(row: Row): AlarmRow | string {
  const [id, title] = [String(row.id), String(row.title)];
  const data = isJsonObject(row.data) ? row.data : {};
  const entryId = data.entry_id;
  if (typeof entryId !== "string" || entryId === "") {
    return `alarm row ${id} (${quote(title)}) has no data.entry_id; set it to "alarm_<name>", or archive it: UPDATE entry SET archived = true WHERE id = '${id}'`;
  }
  const name = alarmName(entryId);
  const faults: string[] = [];
  const named = data.module ?? name;
  const module = typeof named === "string" ? named : "";
  const params = data.params ?? {};
  return {
    id,
    entryId,
    name,
    module,
    title,
    description: String(row.content),
    enabled: parseEnabled(data.enabled, faults),
    recipients: recipientTokens(data.recipients),
    channels: parseChannels(data.channels, faults),
    severity: parseSeverity(data.severity, faults),
    settle: parseSettleKey("settle", data.settle, faults),
    clearAfter: parseSettleKey("clear_after", data.clear_after, faults),
    // The end of an outage is news to those who were notified of it.
    notifyClear: parseBoolean("notify_clear", data.notify_clear, name === ENGINE, faults),
    renotify: parseRenotify(data, faults),
    params: isJsonObject(params) ? params : {},
    limits: parseLimits(data, faults),
    archived: row.archived === true,
    faults,
    blocker: blocker(module, named, params),
  };
}

/** Why the alarm cannot run at all; undefined if it can. */
function blocker(module: string, named: unknown, params: unknown): string | undefined {
  if (!isAlarmName(module))
    return `the row names the module ${quote(named)}, which is not a module name; set data.module to the name of a file in the alarms folder, without its extension`;
  if (!isJsonObject(params))
    return `the row's params are ${quote(params)}; they must be an object such as {"threshold": 0.1}`;
  return undefined;
}

export interface NewAlarm {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  /** The module's defaults, so that the row shows what can be set. */
  readonly params: JsonObject;
}

/** Creates the row of a new module, with mail off until a person turns it on; that of the built-in alarm notifies. */
export async function createAlarm(
  tx: Transaction,
  alarm: NewAlarm,
  now: number,
): Promise<AlarmRow> {
  const row = newRow(alarm, randomUUID());
  await insertEntries(tx, { kind: "alarm", status: "active", at: now }, [row]);
  return readRow(row);
}

/** The row that `createAlarm` would create. */
export function assumedRow(alarm: NewAlarm): AlarmRow {
  return readRow(newRow(alarm, ""));
}

function newRow(alarm: NewAlarm, id: string) {
  return {
    id,
    title: entryTitle(alarm.title ?? alarm.name.replaceAll("_", " ")),
    content: safeText(alarm.description ?? ""),
    data: {
      entry_id: alarmEntryId(alarm.name),
      enabled: alarm.name === ENGINE,
      recipients: [],
      renotification_window_hours: 0,
      params: alarm.params,
    },
  };
}

function readRow(row: ReturnType<typeof newRow>): AlarmRow {
  const parsed = parseAlarmRow({ ...row, archived: false });
  if (typeof parsed === "string") throw new Error(parsed);
  return parsed;
}

/** What `alarm set` can change; what is undefined stays unchanged. */
export interface AlarmChange {
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly archived?: boolean | undefined;
  /** Merged into `data`. */
  readonly data: JsonObject;
  /** Merged into `data.params`. */
  readonly params?: JsonObject;
  /** Names that are removed from `data.params`. */
  readonly unset?: readonly string[];
}

/** Changes an alarm's row as the dashboard's editor does: the previous state is kept as a version. */
export async function changeAlarm(
  tx: Transaction,
  id: string,
  change: AlarmChange,
  by: string,
  now: number,
): Promise<void> {
  await keepVersion(tx, id, by, now);
  await tx.query(
    `UPDATE entry SET
       title = coalesce($2, title), content = coalesce($3, content), archived = coalesce($4, archived),
       data = CASE WHEN jsonb_typeof(data) = 'object' THEN data ELSE '{}'::jsonb END || $5::text::jsonb
         || CASE WHEN $6::text::jsonb = '{}' AND cardinality($7::text[]) = 0 THEN '{}'::jsonb
              ELSE jsonb_build_object('params',
                (CASE WHEN jsonb_typeof(data->'params') = 'object' THEN data->'params' ELSE '{}'::jsonb END
                  || $6::text::jsonb) - $7::text[]) END,
       timestamp_modified = $8
     WHERE id = $1`,
    [
      id,
      change.title === undefined ? null : entryTitle(change.title),
      change.description === undefined ? null : safeText(change.description),
      change.archived ?? null,
      jsonText(change.data),
      jsonText(change.params ?? {}),
      change.unset ?? [],
      now,
    ],
  );
}
