-- An alarm's mails are found without reading all mails that there ever were.

-- Serves `readOwedMail` (the alarms that have one) and `pendingMails`: mails that have yet to reach some
-- of their recipients. It stands for swf_alarms_pending_mail, whose condition Postgres took for one that
-- almost every mail meets, so that it read all of them.
CREATE INDEX IF NOT EXISTS swf_alarms_unfinished_mail
  ON entry ((data->>'alarm'), timestamp_created)
  WHERE kind = 'notification' AND context_id = 'swf-alarms' AND data ? 'pending';

-- Serves `maybeMailed`: the newest mails of one alarm.
CREATE INDEX IF NOT EXISTS swf_alarms_mails
  ON entry ((data->>'alarm'), timestamp_created)
  WHERE kind = 'notification' AND context_id = 'swf-alarms';

-- As 0003 makes it, which is not repeated where somebody dropped this one: it would bring back the index
-- that is gone.
CREATE INDEX IF NOT EXISTS swf_alarms_owed_clears
  ON entry ((data->>'entry_id'), timestamp_created)
  WHERE kind = 'event' AND context_id = 'swf-alarms' AND archived = false AND deleted_at IS NULL
    AND data->>'mail_owed' = 'true';

-- Last, because from here on nobody can read either.
DROP INDEX IF EXISTS swf_alarms_pending_mail;
