import type { Ack } from "../core/ack.ts";
import type { Transaction } from "./database.ts";
import { jsonText } from "./entry.ts";
import { STILL_ACTIVE } from "./events.ts";
import { SWF } from "./notices.ts";

const ACK = `${SWF}->'ack'`;

/** Records that somebody has taken note of an event, in place of an earlier record. Returns whether it is still active. */
export async function acknowledge(
  tx: Transaction,
  id: string,
  ack: Omit<Ack, "ended">,
  now: number,
): Promise<boolean> {
  const { by, reason, at, until = null, sticky } = ack;
  const rows = await tx.query(
    `UPDATE entry SET data = data || jsonb_build_object('swf', ${SWF} || $3::text::jsonb), timestamp_modified = $2
     WHERE id = $1 AND ${STILL_ACTIVE} RETURNING id`,
    [id, now, jsonText({ ack: { by, reason, at, until, sticky } })],
  );
  return rows.length > 0;
}

/**
 * Ends an acknowledgement before its time; reminders begin anew. Returns false if it is not there any more: it ended
 * meanwhile, or somebody made another one.
 */
export async function endAcknowledgement(
  tx: Transaction,
  id: string,
  { at }: Pick<Ack, "at">,
  by: string,
  now: number,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE entry SET timestamp_modified = $2, data = data || jsonb_build_object('swf',
       (${SWF} - 'reminders') || jsonb_build_object('ack', (${ACK}) || $3::text::jsonb))
     WHERE id = $1 AND ${STILL_ACTIVE} AND ${ACK}->'at' = to_jsonb($4::float8) AND ${ACK}->'ended_at' IS NULL
     RETURNING id`,
    [id, now, jsonText({ ended_at: now, ended: "by operator", ended_by: by }), at],
  );
  return rows.length > 0;
}
