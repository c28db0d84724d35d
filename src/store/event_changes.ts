import type { Notices } from "../core/model.ts";
import type { EventChange } from "../core/touch.ts";
import type { Transaction } from "./database.ts";
import { jsonText, numberAt } from "./entry.ts";
import { BATCH, STILL_ACTIVE, updateEvents } from "./events.ts";
import { SWF } from "./notices.ts";

/** An event of which more changes than that it was detected again. */
export interface ChangedEvent extends EventChange {
  readonly id: string;
  /** As it is after this tick. */
  readonly notices: Notices;
}

/**
 * Records severities, stages and the ends of acknowledgements. An acknowledgement that a person made or ended since the
 * event was read stays as it is.
 */
export async function changeEvents(
  tx: Transaction,
  changes: readonly ChangedEvent[],
  now: number,
): Promise<void> {
  // One constant; each row looks itself up.
  const change = "($3::text::jsonb->id)";
  const ack = `${SWF}->'ack'`;
  // Django's pages show every key, also one that is null.
  const data = `CASE WHEN ${change} ? 'level' THEN (data - '{severity,stage}'::text[]) || (${change}->'level') ELSE data END || jsonb_build_object('swf',
      (CASE WHEN ${change} ? 'anew' THEN ${SWF} - 'reminders' ELSE ${SWF} END) || (${change}->'swf')
      || CASE WHEN NOT ${change} ? 'level' OR ${SWF} ? 'fired' THEN '{}'
           ELSE jsonb_build_object('fired', jsonb_build_object('severity', data->'severity', 'stage', data->'stage')) END
      || CASE WHEN ${ack}->'at' = ${change}->'ack'->'at' AND ${numberAt("ended_at", "data->'swf'->'ack'")} = 0 THEN jsonb_build_object('ack', (${ack}) || (${change}->'ack')) ELSE '{}' END)`;
  for (let start = 0; start < changes.length; start += BATCH) {
    const batch = changes.slice(start, start + BATCH);
    const byId = Object.fromEntries(batch.map((each) => [each.id, changeFacts(each)]));
    const ids = batch.map(({ id }) => id);
    await updateEvents(tx, ids, data, [now, jsonText(byId)], STILL_ACTIVE);
  }
}

function changeFacts({ notices, level: change, ack }: ChangedEvent): object {
  const { level, peak, news } = change ?? {};
  return {
    ...(level && { level }),
    swf: {
      ...(peak && { peak }),
      ...(news && { news, news_at: notices.newsAt, notified: notices.notified }),
    },
    ...((news ?? ack) && { anew: true }),
    ...(ack && { ack: { at: ack.at, ended_at: ack.ended?.at, ended: ack.ended?.reason } }),
  };
}
