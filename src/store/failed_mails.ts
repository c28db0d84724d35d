import type { MailStatus } from "../core/status.ts";
import type { Queryable } from "./database.ts";
import { readData } from "./entry.ts";
import { NOTIFICATION } from "./notifications.ts";

/** Mails of the 24 hours until then that were not delivered or whose delivery state is unknown, newest first. */
export async function failedMails(db: Queryable, until: number): Promise<readonly MailStatus[]> {
  const rows = await db.query(
    `WITH attempt AS (
       SELECT title, timestamp_created, data, max(timestamp_created) FILTER (WHERE data->>'outcome' = 'delivered')
         OVER (PARTITION BY data->>'alarm') >= timestamp_created AS resolved FROM entry
       WHERE ${NOTIFICATION} AND timestamp_created BETWEEN $1::float8 - 86400 AND $1::float8)
     SELECT * FROM attempt WHERE data->>'outcome' IS DISTINCT FROM 'delivered' ORDER BY timestamp_created DESC`,
    [until],
  );
  return rows.map((row) => {
    const data = readData(row.data);
    return {
      alarm: data.text("alarm") ?? "",
      attemptedAt: Number(row.timestamp_created),
      subject: String(row.title),
      outcome: (!data.has("may_have_been_sent") && data.text("outcome")) || "unknown",
      error: data.text("error") ?? "",
      resolved: row.resolved === true,
    };
  });
}
