-- What is owed is found without reading the history, however long that is.

-- Serves `owedClears`: events of an alarm that cleared before a confirmed mail named them, oldest first.
CREATE INDEX IF NOT EXISTS swf_alarms_owed_clears
  ON entry ((data->>'entry_id'), timestamp_created)
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND data->>'mail_owed' = 'true';

-- Serves `pendingMails`: mails of an alarm that have yet to reach some of their recipients.
CREATE INDEX IF NOT EXISTS swf_alarms_pending_mail
  ON entry ((data->>'alarm'), timestamp_created)
  WHERE kind = 'notification' AND context_id = 'swf-alarms' AND data->'pending' IS NOT NULL;
