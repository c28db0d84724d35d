import type { Queryable } from "./database.ts";
import { readData } from "./entry.ts";
import { CHANNEL, NOTIFICATION } from "./notifications.ts";

/** The last delivery on a channel, and the last error. */
export interface ChannelRecord {
  readonly deliveredAt: number | undefined;
  readonly failedAt: number | undefined;
  readonly error: string | undefined;
}

/** What the notifications on these channels say about them, tests included. */
export async function channelRecords(
  db: Queryable,
  names: readonly string[],
): Promise<ReadonlyMap<string, ChannelRecord>> {
  const last = (condition: string): string =>
    `LEFT JOIN LATERAL (SELECT data FROM entry WHERE ${NOTIFICATION} AND ${CHANNEL} = channel.name AND ${condition}
       ORDER BY timestamp_created DESC LIMIT 1)`;
  const rows = await db.query(
    `SELECT channel.name, delivered.data AS delivered, failed.data AS failed FROM unnest($1::text[]) AS channel(name)
     ${last("data->>'outcome' IN ('delivered', 'partial')")} AS delivered ON true
     ${last("data ? 'error'")} AS failed ON true`,
    [names],
  );
  return new Map(
    rows.map((row) => {
      const [delivered, failed] = [readData(row.delivered), readData(row.failed)];
      const record = {
        deliveredAt: delivered.number("finished_at") ?? delivered.number("attempted_at"),
        failedAt: failed.number("finished_at") ?? failed.number("attempted_at"),
        error: failed.text("error"),
      };
      return [String(row.name), record];
    }),
  );
}
