import { EMAIL } from "../core/alarm_channels.ts";
import type { Transaction } from "./database.ts";
import { jsonText, numberAt } from "./entry.ts";
import { type Ids, updateEvents } from "./events.ts";
import { SWF } from "./notices.ts";

/** The same with what counts as `swf.notified` and `swf.unsent` in rows of earlier versions. */
const FULL_SWF = `(CASE WHEN ${numberAt("last_notified")} > 0
         THEN jsonb_build_object('notified', jsonb_build_object('${EMAIL}', data->'last_notified')) ELSE '{}' END
       || CASE WHEN data->>'mail_owed' = 'true' THEN '{"unsent": ["${EMAIL}"]}'::jsonb ELSE '{}' END
       || ${SWF})`;

const NOTIFIED = `(${orEmpty(`${FULL_SWF}->'notified'`)})`;
/** Earlier versions had one number for all channels, which says nothing of one. */
const REMINDERS = `(${orEmpty("data->'swf'->'reminders'")})`;

/** A notification that was delivered, and the events that it named. */
export interface Stamp {
  readonly channel: string;
  /** Epoch seconds of the tick that composed it. */
  readonly composedAt: number;
  readonly to: readonly string[];
  readonly firing: Ids;
  readonly cleared: Ids;
}

/** SQL for the time of the latest news. */
const NEWS_AT = `CASE WHEN data->'swf' ? 'news_at' THEN ${numberAt("news_at", "data->'swf'")} ELSE ${numberAt("fire_time")} END`;

/** News of a clock that was ahead counts as of now; channels that have not heard it must not seem to have. */
export async function correctNews(tx: Transaction, ids: Ids, now: number): Promise<void> {
  const heard = `(SELECT coalesce(jsonb_object_agg(key, CASE WHEN value < to_jsonb(${NEWS_AT})
      THEN least(value, to_jsonb($2::float8 - 0.001)) ELSE value END), '{}') FROM jsonb_each(${NOTIFIED}))`;
  const data = `jsonb_set(data, '{swf}', ${FULL_SWF} || jsonb_build_object('news_at', $2::float8, 'notified', ${heard}))`;
  await updateEvents(tx, ids, data, [now], `${NEWS_AT} > $2`);
}

/** Records a delivered notification on every event that it named, cleared ones too; `now` is the tick's time. */
export async function stampNotified(
  tx: Transaction,
  { channel, composedAt, to, firing, cleared }: Stamp,
  now: number,
): Promise<void> {
  // Times of a clock that was ahead would make each later notification look too old.
  const last = `CASE WHEN ${numberAt("last_notified")} > $2 THEN 0 ELSE ${numberAt("last_notified")} END`;
  const stamped = (swf: string) => `jsonb_set(data - 'mail_owed', '{swf}', ${swf}
      || jsonb_build_object(
        'notified', ${NOTIFIED} || jsonb_build_object($3::text, $4::float8),
        'to', (${orEmpty(`data->'swf'->'to'`)}) || jsonb_build_object($3, to_jsonb($5::text[]))))
    || jsonb_build_object('last_notified', greatest($4, ${last}))`;
  // A reminder does not tell the channel any news.
  const counted = `${FULL_SWF} || CASE WHEN ${NOTIFIED}->$3 >= to_jsonb(${NEWS_AT}) AND ${NOTIFIED}->$3 < to_jsonb($4::float8)
      THEN jsonb_build_object('reminders', ${REMINDERS} || jsonb_build_object($3,
        CASE WHEN jsonb_typeof(${REMINDERS}->$3) = 'number' THEN (${REMINDERS}->>$3)::numeric ELSE 0 END + 1)) ELSE '{}' END`;
  // Most are named for the first time: what is added to them is the same for all.
  const first = { notified: { [channel]: composedAt }, to: { [channel]: to } };
  const data = `CASE WHEN ${IS_FIRST} THEN data || jsonb_build_object('last_notified', $4::float8, 'swf', (data->'swf') || $6::text::jsonb)
      ELSE ${stamped(counted)} END`;
  const params = [now, channel, composedAt, to];
  await updateEvents(tx, firing, data, [...params, jsonText(first)], "true");
  await updateEvents(tx, cleared, stamped(WITHOUT_CHANNEL), params, "true");
}

/** Of an event that no notification has named, and that fired while the clock was right. */
const IS_FIRST = `jsonb_typeof(data->'swf'->'news_at') = 'number' AND data->'swf'->'news_at' <= to_jsonb($2::float8)
        AND NOT data->'swf' ?| '{notified,unsent}' AND NOT data ?| '{last_notified,mail_owed}'`;

/** The others in `unsent`. */
const OTHERS = `(jsonb_path_query_array(${FULL_SWF}, '$.unsent[*] ? (@.type() == "string")') - $3::text)`;
/** Without the channel $3 in `unsent`, and without that if it is empty. */
const WITHOUT_CHANNEL = `CASE WHEN ${OTHERS} = '[]' THEN ${FULL_SWF} - 'unsent'
       ELSE jsonb_set(${FULL_SWF}, '{unsent}', ${OTHERS}) END`;

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

/** SQL for an object; a person may have written something else there. */
function orEmpty(value: string): string {
  return `CASE WHEN jsonb_typeof(${value}) = 'object' THEN ${value} ELSE '{}' END`;
}
