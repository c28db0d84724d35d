-- An alarm's events are found without reading those of all others, however long the history.

-- Serves `listEvents` (all of one alarm), and the dashboards, which ask in these very words for the events
-- of one alarm at every page load.
CREATE INDEX IF NOT EXISTS swf_alarms_events_of_alarm
  ON entry ((data->'entry_id'), timestamp_created)
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL;
