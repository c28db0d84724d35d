-- What was not delivered is found without reading the history, on any channel.

-- Serves `unsentClears` and `readUnsent`: cleared events that some channels still have to hear of. Earlier versions
-- wrote mail_owed. It stands for swf_alarms_owed_clears.
CREATE INDEX IF NOT EXISTS swf_alarms_unsent_clears
  ON entry ((data->>'entry_id'), timestamp_created)
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND (data->'swf' ? 'unsent' OR data->>'mail_owed' = 'true');

-- Serves `openNotifications` and `readUnsent`: notifications that another attempt is made at. Earlier versions wrote
-- pending alone. It stands for swf_alarms_unfinished_mail.
CREATE INDEX IF NOT EXISTS swf_alarms_open_notifications
  ON entry ((data->>'alarm'), timestamp_created)
  WHERE kind = 'notification' AND context_id = 'swf-alarms' AND data ?| '{not_before,pending}';

DROP INDEX IF EXISTS swf_alarms_owed_clears;
DROP INDEX IF EXISTS swf_alarms_unfinished_mail;

-- Outages and quarantines that people were mailed about are events of the alarm `engine` now, which would mail them
-- again. Those that are over, and whose end was not mailed yet, are cleared events that email still has to hear of.
WITH state AS (
  SELECT substr(name, 14) AS id, 'source:' || substr(name, 14) AS key,
         'source ' || substr(name, 14) || ' is unreachable' AS subject,
         data->>'cause' AS cause, data->'since' AS since,
         CASE WHEN data->>'kind' = 'recovered' THEN data->'until' END AS until,
         data->>'kind' = 'recovered' OR coalesce(data->>'notified', data->>'told', 'true') = 'true' AS mailed
  FROM entry WHERE kind = 'engine_state' AND status = 'active' AND context_id = 'swf-alarms'
    AND name LIKE 'state:source:%' AND jsonb_typeof(data->'since') = 'number'
  UNION ALL
  SELECT substr(name, 18), 'alarm:' || substr(name, 18), 'alarm ' || substr(name, 18) || ' is quarantined',
         data->>'cause', kept.value->'since', kept.value->'until',
         coalesce(kept.value->>'notified', kept.value->>'told', 'true') = 'true'
  FROM entry, LATERAL (VALUES (data->'quarantine'), (data->'recovery')) AS kept (value)
  WHERE kind = 'engine_state' AND status = 'active' AND context_id = 'swf-alarms'
    AND name LIKE 'state:quarantine:%' AND jsonb_typeof(kept.value->'since') = 'number'
)
INSERT INTO entry (id, title, content, kind, name, data, priority, status, archived,
                   timestamp_created, timestamp_modified, deleted_at, parent_id, context_id)
SELECT gen_random_uuid()::text, left(subject, 255), coalesce(cause, ''), 'event', NULL,
       jsonb_build_object(
         'entry_id', 'event_engine', 'dedupe_key', key, 'subject', subject, 'recipients', '[]'::jsonb,
         'fire_time', since, 'last_seen', since, 'clear_time', until,
         'swf', CASE WHEN mailed THEN jsonb_build_object('notified', jsonb_build_object('email', since)) ELSE '{}' END
           || CASE WHEN until IS NULL THEN jsonb_build_object('news', 'fired', 'news_at', since)
                ELSE jsonb_build_object('news', 'cleared', 'news_at', until, 'unsent', '["email"]'::jsonb) END
           || coalesce((SELECT jsonb_build_object('recipients', CASE jsonb_typeof(alarm.data->'recipients')
                    WHEN 'array' THEN alarm.data->'recipients'
                    ELSE to_jsonb(array_remove(regexp_split_to_array(alarm.data->>'recipients', '[[:space:],;]+'), '')) END)
                FROM entry AS alarm
                WHERE key LIKE 'alarm:%' AND alarm.kind = 'alarm' AND alarm.context_id = 'swf-alarms'
                  AND alarm.deleted_at IS NULL AND alarm.data->>'entry_id' = 'alarm_' || state.id
                  AND jsonb_typeof(alarm.data->'recipients') IN ('array', 'string')
                ORDER BY alarm.timestamp_created LIMIT 1), '{}'::jsonb))
         || CASE WHEN mailed THEN jsonb_build_object('last_notified', since) ELSE '{}' END,
       NULL, 'active', false, extract(epoch FROM now())::float8, extract(epoch FROM now())::float8, NULL, NULL, 'swf-alarms'
FROM state WHERE (mailed OR until IS NOT NULL) AND jsonb_typeof(coalesce(until, since)) = 'number'
ON CONFLICT DO NOTHING;
