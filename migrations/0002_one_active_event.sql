-- One active event per (alarm, entity), whatever runs at the same time.

-- An engine without this index may have left several active events for one entity. The oldest is the
-- true one; the others are cleared and say why. The rows in a column `note` are shown by `migrate`.
WITH ranked AS (
  SELECT id,
         first_value(id) OVER same_entity AS kept,
         row_number() OVER same_entity AS place
  FROM entry
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND data->>'clear_time' IS NULL
    AND data->>'entry_id' IS NOT NULL AND data->>'dedupe_key' IS NOT NULL
  WINDOW same_entity AS (
    PARTITION BY data->>'entry_id', data->>'dedupe_key'
    ORDER BY timestamp_created, id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
UPDATE entry
SET data = data || jsonb_build_object(
      'clear_time', extract(epoch FROM now())::float8,
      'clear_reason', 'duplicate of ' || ranked.kept),
    timestamp_modified = extract(epoch FROM now())::float8
FROM ranked
WHERE entry.id = ranked.id AND ranked.place > 1
RETURNING 'cleared event ' || entry.id || ' of ' || (entry.data->>'entry_id') || ' for '
  || (entry.data->>'dedupe_key') || ': duplicate of the older ' || ranked.kept AS note;

-- Serves `openEvents` (its ON CONFLICT) and `activeEvents` (all active events of one alarm). The key is
-- hashed because an index entry holds at most 2.7 kB.
CREATE UNIQUE INDEX IF NOT EXISTS swf_alarms_one_active_event
  ON entry ((data->>'entry_id'), md5(data->>'dedupe_key'))
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND data->>'clear_time' IS NULL;
