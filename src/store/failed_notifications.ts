import { alarmName } from "../core/event_key.ts";
import type { NotificationStatus } from "../core/status.ts";
import type { Queryable } from "./database.ts";
import { readData } from "./entry.ts";
import { STATE } from "./notification_list.ts";
import { CHANNEL, NOTIFICATION } from "./notifications.ts";

/**
 * Notifications that ended or waited in the 24 hours until then, that were not delivered or may not have been, newest
 * first. One that is given up began a day before, or earlier if a person retried it.
 */
export async function failedNotifications(
  db: Queryable,
  until: number,
): Promise<readonly NotificationStatus[]> {
  const rows = await db.query(
    `WITH attempt AS (
       SELECT id, title, timestamp_created, timestamp_modified, data - 'bundle' AS data, ${STATE} AS state, ${CHANNEL} AS channel,
         max(timestamp_created) FILTER (WHERE data->>'outcome' = 'delivered')
           OVER (PARTITION BY data->>'alarm', ${CHANNEL}) >= timestamp_created AS resolved FROM entry
       WHERE ${NOTIFICATION} AND data->>'about' IS DISTINCT FROM 'test' AND timestamp_created BETWEEN $1::float8 - 7 * 86400 AND $1::float8)
     SELECT * FROM attempt WHERE state IS DISTINCT FROM 'delivered' AND state IS DISTINCT FROM 'superseded'
       AND (timestamp_created >= $1::float8 - 86400
         OR state = 'given_up' AND timestamp_modified BETWEEN $1::float8 - 86400 AND $1::float8
         OR data ?| '{not_before,pending}')
     ORDER BY timestamp_created DESC`,
    [until],
  );
  return rows.map((row) => {
    const data = readData(row.data);
    return {
      id: String(row.id),
      alarm: alarmName(data.text("alarm") ?? ""),
      channel: String(row.channel ?? ""),
      state: String(row.state ?? "unknown"),
      attemptedAt: Number(row.timestamp_created),
      notBefore: data.number("not_before"),
      subject: String(row.title),
      outcome: (!data.has("may_have_been_sent") && data.text("outcome")) || "unknown",
      error: data.text("error") ?? "",
      resolved: row.resolved === true,
    };
  });
}
