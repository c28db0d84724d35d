import { alarmEntryId, alarmName } from "../core/event_key.ts";
import { isJsonObject } from "../text/json.ts";
import type { Queryable, Row } from "./database.ts";
import { readData } from "./entry.ts";
import type { FoundEvent } from "./event_list.ts";
import { CHANNEL, NOTIFICATION } from "./notifications.ts";

/** The SQL text of a notification's state; earlier versions recorded an outcome alone. */
export const STATE = `CASE WHEN data ? 'state' THEN data->>'state'
  WHEN data ? 'may_have_been_sent' OR data->>'outcome' = 'interrupted' THEN 'unknown' ELSE data->>'outcome' END`;

const COLUMNS = `id, title, content, timestamp_created, data - 'bundle' AS data, data ? 'bundle' AS has_bundle,
  ${STATE} AS state, ${CHANNEL} AS channel`;

export interface NotificationFilter {
  readonly alarm: string | undefined;
  /** Those that name one of these events. */
  readonly events: readonly FoundEvent[] | undefined;
  readonly states: readonly string[] | undefined;
  /** 0 for all. */
  readonly limit: number;
}

/** An event's name alone does not lead to its notifications without reading all of them; its alarm's name does. */
const WANTED = `${NOTIFICATION}
  AND ($1::text[] IS NULL OR data->>'alarm' = ANY($1::text[]))
  AND ($2::text[] IS NULL OR (${STATE}) = ANY($2::text[]))
  AND ($3::text[] IS NULL OR data->'new_event_ids' ?| $3::text[] OR data->'continuing_event_ids' ?| $3::text[]
    OR data->'cleared_event_ids' ?| $3::text[])`;

function wanted({ alarm, events, states }: Omit<NotificationFilter, "limit">) {
  const alarms = events === undefined ? alarm && [alarm] : events.map((event) => event.alarm);
  return [
    alarms ? [...new Set(alarms)].flatMap((name) => [alarmEntryId(name), name]) : null,
    states ?? null,
    events?.map(({ id }) => id) ?? null,
  ] as const;
}

/** Notifications for people to read, newest first. */
export async function listNotifications(
  db: Queryable,
  filter: NotificationFilter,
): Promise<readonly ListedNotification[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM entry WHERE ${WANTED} ORDER BY timestamp_created DESC, id LIMIT $4::int`,
    [...wanted(filter), filter.limit || null],
  );
  return rows.map(listedNotification);
}

/** How many there are to list. */
export async function countNotifications(
  db: Queryable,
  filter: Omit<NotificationFilter, "limit">,
): Promise<number> {
  const [row] = await db.query(`SELECT count(*) FROM entry WHERE ${WANTED}`, wanted(filter));
  return Number(row?.count);
}

/** Those whose id begins so; more than one if the beginning is not unique. */
export async function findNotifications(
  db: Queryable,
  beginning: string,
): Promise<readonly ListedNotification[]> {
  const rows = await db.query(
    `SELECT ${COLUMNS} FROM entry WHERE id LIKE $1::text || '%' AND ${NOTIFICATION} LIMIT 2`,
    [beginning],
  );
  return rows.map(listedNotification);
}

export type ListedNotification = ReturnType<typeof listedNotification>;

function listedNotification(row: Row) {
  const data = readData(row.data);
  const attemptedAt = data.number("attempted_at") ?? Number(row.timestamp_created);
  return {
    id: String(row.id),
    composedAt: data.number("composed_at") ?? attemptedAt,
    alarm: alarmName(data.text("alarm") ?? ""),
    channel: String(row.channel ?? ""),
    type: data.text("type"),
    isTest: data.text("about") === "test",
    state: String(row.state ?? "unknown"),
    to: data.has("to") ? data.texts("to") : data.texts("recipients"),
    recipients: data.texts("recipients"),
    attempts: data.number("attempts") ?? 1,
    attemptedAt,
    finishedAt: data.number("finished_at"),
    notBefore: data.number("not_before"),
    pending: data.texts("pending"),
    refused: data.array("refused").filter(isJsonObject),
    givenUp: data.texts("given_up"),
    messageIds: data.texts("message_ids"),
    supersededBy: data.text("superseded_by"),
    mayHaveBeenSent: data.has("may_have_been_sent") || data.has("unknown_attempts"),
    newEventIds: data.texts("new_event_ids"),
    continuingEventIds: data.texts("continuing_event_ids"),
    clearedEventIds: data.texts("cleared_event_ids"),
    subject: String(row.title),
    error: data.text("error"),
    /** Whether another attempt is possible. */
    hasBundle: row.has_bundle === true,
    text: String(row.content),
    /** As stored, without the bundle. */
    row: { id: row.id, title: row.title, content: row.content, data: row.data },
  };
}
