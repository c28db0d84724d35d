import { boolean, number, object, parse, string, unknown } from "valibot";
import { isJsonObject } from "../text/json.ts";
import type { Queryable } from "./database.ts";
import { ALARMS_CONTEXT } from "./entry.ts";

/** A mail that was not delivered, or of which nobody knows. */
export interface FailedMail {
  /** The alarm's `entry_id`, or `engine`. */
  readonly alarm: string;
  readonly attemptedAt: number;
  readonly subject: string;
  readonly outcome: string;
  readonly error: string;
  /** Whether a later mail of the same alarm went out. */
  readonly resolved: boolean;
}

const MailRow = object({
  title: string(),
  timestamp_created: number(),
  data: unknown(),
  resolved: boolean(),
});

/** Mails that failed or whose fate is unknown since then, newest first. */
export async function failedMails(
  db: Queryable,
  since: number,
  limit: number,
): Promise<readonly FailedMail[]> {
  const rows = await db.query(
    `WITH attempt AS (
       SELECT title, timestamp_created, data FROM entry
       WHERE kind = 'notification' AND context_id = '${ALARMS_CONTEXT}' AND timestamp_created >= $1::float8)
     SELECT title, timestamp_created, data,
            EXISTS (SELECT 1 FROM attempt AS later
                    WHERE later.data->>'alarm' = attempt.data->>'alarm' AND later.data->>'outcome' = 'delivered'
                      AND later.timestamp_created >= attempt.timestamp_created) AS resolved
     FROM attempt WHERE data->>'outcome' IS DISTINCT FROM 'delivered'
     ORDER BY timestamp_created DESC LIMIT $2::int`,
    [since, limit],
  );
  return rows.map((row) => {
    const { title, timestamp_created: attemptedAt, data: raw, resolved } = parse(MailRow, row);
    const data = isJsonObject(raw) ? raw : {};
    const text = (value: unknown): string => (typeof value === "string" ? value : "");
    return {
      alarm: text(data.alarm),
      attemptedAt,
      subject: title,
      outcome: text(data.outcome) || "unknown",
      error: text(data.error),
      resolved,
    };
  });
}
