import { EMAIL } from "../core/alarm_channels.ts";
import type { Transaction } from "./database.ts";
import { numberAt } from "./entry.ts";
import { type Ids, updateEvents } from "./events.ts";
import { SWF } from "./notices.ts";

/** The same with what counts as `swf.notified` and `swf.unsent` in rows of earlier versions. */
const FULL_SWF = `(CASE WHEN ${numberAt("last_notified")} > 0
         THEN jsonb_build_object('notified', jsonb_build_object('${EMAIL}', data->'last_notified')) ELSE '{}' END
       || CASE WHEN data->>'mail_owed' = 'true' THEN '{"unsent": ["${EMAIL}"]}'::jsonb ELSE '{}' END
       || ${SWF})`;

/** A notification that was delivered, and the events that it named. */
export interface Stamp {
  readonly channel: string;
  /** Epoch seconds of the tick that composed it. */
  readonly composedAt: number;
  readonly to: readonly string[];
  readonly firing: Ids;
  /** Of `firing`, those that it reminded of. */
  readonly reminded: Ids;
  readonly cleared: Ids;
}

/** SQL for the time of the latest news. */
const NEWS_AT = `CASE WHEN data->'swf' ? 'news_at' THEN ${numberAt("news_at", "data->'swf'")} ELSE ${numberAt("fire_time")} END`;

/** Records a delivered notification on every event that it named, cleared ones too; `now` is the tick's time. */
export async function stampNotified(
  tx: Transaction,
  { channel, composedAt, to, firing, reminded, cleared }: Stamp,
  now: number,
): Promise<void> {
  // Times of a clock that was ahead would make each later notification look too old.
  const last = `CASE WHEN ${numberAt("last_notified")} > $2 THEN 0 ELSE ${numberAt("last_notified")} END`;
  const news = `CASE WHEN ${NEWS_AT} > $2 THEN jsonb_build_object('news_at', least($2::float8, $4::float8)) ELSE '{}' END`;
  // Several channels may remind in one tick.
  const stamped = (
    unsent: string,
    reminders: string,
  ) => `jsonb_set(data - 'mail_owed', '{swf}', ${unsent}
      || jsonb_build_object(
        'notified', coalesce(${FULL_SWF}->'notified', '{}') || jsonb_build_object($3::text, $4::float8),
        'to', coalesce(${SWF}->'to', '{}') || jsonb_build_object($3, to_jsonb($5::text[]))${reminders}) || ${news})
    || jsonb_build_object('last_notified', greatest($4, ${last}))`;
  const counted = `, 'reminders', coalesce((data->'swf'->>'reminders')::float8, 0) + CASE WHEN ${last} < $4 THEN 1 ELSE 0 END`;
  const params = [now, channel, composedAt, to];
  const isReminder = new Set(reminded);
  const others = isReminder.size === 0 ? firing : firing.filter((id) => !isReminder.has(id));
  await updateEvents(tx, others, stamped(FULL_SWF, ""), params, "true");
  await updateEvents(tx, reminded, stamped(FULL_SWF, counted), params, "true");
  await updateEvents(tx, cleared, stamped(WITHOUT_CHANNEL, ""), params, "true");
}

/** Without the channel $3 in `unsent`, and without that if it is empty. */
const WITHOUT_CHANNEL = `CASE WHEN (${FULL_SWF}->'unsent') - $3::text = '[]' THEN ${FULL_SWF} - 'unsent'
       WHEN ${FULL_SWF} ? 'unsent' THEN jsonb_set(${FULL_SWF}, '{unsent}', (${FULL_SWF}->'unsent') - $3::text)
       ELSE ${FULL_SWF} END`;

/** A channel no longer has to hear that the events have cleared. */
export async function forgetUnsent(
  tx: Transaction,
  ids: Ids,
  channel: string,
  now: number,
): Promise<void> {
  const data = `jsonb_set(data - 'mail_owed', '{swf}', ${WITHOUT_CHANNEL})`;
  await updateEvents(tx, ids, data, [now, channel], "true");
}
