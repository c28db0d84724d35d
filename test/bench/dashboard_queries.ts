/**
 * What the Django dashboards ask, as its ORM writes it: a key of `data` is compared as jsonb. See the row
 * contract for who asks what. `$1` is the time now.
 */
export interface DashboardQuery {
  readonly view: string;
  readonly sql: string;
  readonly takesNow?: boolean;
}

const LIVE = "archived = false AND deleted_at IS NULL";
const EVENTS = `kind = 'event' AND context_id = 'swf-alarms' AND ${LIVE}`;
const OF_ALARM = `data -> 'entry_id' = '"event_failing_tasks"'::jsonb`;
const RUNS = "kind = 'engine_run' AND context_id = 'swf-alarms'";

export const DASHBOARD_QUERIES: readonly DashboardQuery[] = [
  {
    view: "active events of an alarm, in SQL",
    sql: `SELECT * FROM entry WHERE ${EVENTS} AND ${OF_ALARM} AND data ->> 'clear_time' IS NULL`,
  },
  {
    view: "all events of an alarm ever, which Python filters (active list, last alarm)",
    sql: `SELECT * FROM entry WHERE ${EVENTS} AND ${OF_ALARM}`,
  },
  {
    view: "events of an alarm in the last 24 h",
    sql: `SELECT * FROM entry WHERE ${EVENTS} AND ${OF_ALARM} AND timestamp_created >= $1::float8 - 86400 ORDER BY timestamp_created DESC`,
    takesNow: true,
  },
  {
    view: "newest 20 runs",
    sql: `SELECT * FROM entry WHERE ${RUNS} AND ${LIVE} ORDER BY timestamp_created DESC LIMIT 20`,
  },
  {
    view: "newest run (health)",
    sql: `SELECT * FROM entry WHERE ${RUNS} ORDER BY timestamp_created DESC LIMIT 1`,
  },
  {
    view: "runs of the last 24 h (task history)",
    sql: `SELECT * FROM entry WHERE ${RUNS} AND timestamp_created >= $1::float8 - 86400 ORDER BY timestamp_created`,
    takesNow: true,
  },
  {
    view: "events of one entity (task history)",
    sql: `SELECT * FROM entry WHERE ${EVENTS} AND ${OF_ALARM} AND data -> 'dedupe_key' = '"task:100002"'::jsonb`,
  },
  {
    view: "one run by its name (run report)",
    sql: `SELECT * FROM entry WHERE ${RUNS} AND data -> 'entry_id' = '"run_1"'::jsonb`,
  },
];
