-- The rights of the role that runs ticks and commands. It cannot create tables: the owner of the tables runs
-- `swf-alarms migrate`.
--
--   1. As an administrator:  CREATE ROLE swf_alarms LOGIN;  then \password swf_alarms
--   2. swf-alarms migrate, as the owner of the tables
--   3. As the owner, as often as you like:
--      psql -v role=swf_alarms -f deploy/grants.sql "postgresql://owner@host:5432/name"
--
-- If the rights of PUBLIC were revoked, the role also needs CONNECT on the database and USAGE on the schema.

\set ON_ERROR_STOP on

BEGIN;

-- Alarms, events, run records, notifications, teams: all are rows of this table. DELETE is for rows that
-- [retention] no longer keeps; Postgres cannot limit it to those rows.
GRANT SELECT, INSERT, UPDATE, DELETE ON entry TO :"role";

-- `alarm set` and `team set` store the state before a change as a version.
GRANT SELECT, INSERT ON entry_version TO :"role";

-- A tick checks whether the database is up to date.
GRANT SELECT ON swf_alarms_migration TO :"role";

COMMIT;
