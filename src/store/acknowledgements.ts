import type { Ack } from "../core/ack.ts";
import type { SqlValue, Transaction } from "./database.ts";
import { jsonText } from "./entry.ts";
import { STILL_ACTIVE } from "./events.ts";
import { SWF } from "./notices.ts";

/** Records that somebody has taken note of an event, in place of an earlier record. Returns false if it is not active any more. */
export async function acknowledge(
  tx: Transaction,
  id: string,
  ack: Omit<Ack, "ended">,
  now: number,
): Promise<boolean> {
  const { by, reason, at, until = null, sticky } = ack;
  const row = { ack: { by, reason, at, until, sticky } };
  return await changeSwf(tx, id, `${SWF} || $3::text::jsonb`, [now, jsonText(row)], "true");
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
  const end = { ended_at: now, ended: "by operator", ended_by: by };
  const ack = `${SWF}->'ack'`;
  const swf = `(${SWF} - 'reminders') || jsonb_build_object('ack', (${ack}) || $3::text::jsonb)`;
  const isSame = `${ack}->'at' = to_jsonb($4::float8) AND NOT (${ack}) ? 'ended_at'`;
  return await changeSwf(tx, id, swf, [now, jsonText(end), at], isSame);
}

/** Sets `swf` of an active event to an SQL expression. Returns whether it did. */
async function changeSwf(
  tx: Transaction,
  id: string,
  swf: string,
  params: readonly SqlValue[],
  condition: string,
): Promise<boolean> {
  const rows = await tx.query(
    `UPDATE entry SET data = data || jsonb_build_object('swf', ${swf}), timestamp_modified = $2
     WHERE id = $1 AND ${STILL_ACTIVE} AND ${condition} RETURNING id`,
    [id, ...params],
  );
  return rows.length > 0;
}
