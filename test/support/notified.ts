import type { Site } from "./site.ts";

/** Moves the news of events and its mails into the past; of one alarm's, if it is named. */
export async function ageNotified(site: Site, seconds: number, alarm = "%"): Promise<void> {
  const older = (value: string) => `to_jsonb((${value})::float8 - $1::float8)`;
  await site.query(
    `UPDATE entry SET data = data || jsonb_build_object(
       'last_notified', ${older("data->>'last_notified'")},
       'swf', data->'swf' || jsonb_build_object(
         'news_at', ${older("data->'swf'->>'news_at'")},
         'notified', jsonb_build_object('email', ${older("data->'swf'->'notified'->>'email'")})))
     WHERE kind = 'event' AND data ? 'last_notified' AND data->>'entry_id' LIKE 'event_' || $2::text`,
    [seconds, alarm],
  );
}
