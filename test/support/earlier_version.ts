import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Database } from "../../src/store/database.ts";
import { insertAlarm, insertEntry } from "./rows.ts";

const MIGRATIONS = new URL("../../migrations/", import.meta.url);
const HOUR = 3600;
const OPS = ["ops@example.org"];
/** The alarms with lists of the site's service, and those whose modules use a source of their own. */
export const LISTS = ["things", "many", "killed", "lost"] as const;
export const SOURCES = ["dark", "dim", "back"] as const;
export const QUARANTINED = ["broken", "dead", "mended", "unheard"] as const;

/**
 * Fills an empty database as the version before channels (commit 620505d) left it: its migrations, and rows copied from
 * what that version wrote. Its last tick was killed.
 */
export async function writeEarlierVersion(db: Database, now: number): Promise<void> {
  for (const name of readdirSync(MIGRATIONS).sort())
    if (name < "0006") await db.script(readFileSync(new URL(name, MIGRATIONS), "utf8"));
  await db.query(
    "CREATE TABLE swf_alarms_migration (name text NOT NULL PRIMARY KEY, applied_at double precision NOT NULL)",
  );
  for (const name of readdirSync(MIGRATIONS))
    if (name < "0006")
      await db.query("INSERT INTO swf_alarms_migration VALUES ($1, $2)", [name, now]);
  const before = now - 2 * HOUR;
  const last = now - HOUR;
  const ids = new Map<string, string>();
  for (const name of [...LISTS, ...SOURCES, ...QUARANTINED])
    ids.set(
      name,
      await insertAlarm(
        db,
        name,
        name === "many" ? { recipients: "p1@example.org, p2@example.org" } : {},
      ),
    );

  const run = async (at: number, summary: object): Promise<string> =>
    await insertEntry(db, {
      kind: "engine_run",
      title: "Engine run",
      status: "finished_at" in summary ? "done" : "active",
      created: at,
      data: { entry_id: `run_${Math.floor(at)}`, started_at: at, ...summary },
    });
  const ended = {
    alarms_run: 7,
    alarms_seen: 7,
    notifications_sent: 1,
    errors: 0,
    error_details: "",
    per_alarm: {},
  };
  const whole = await run(before, { finished_at: before + 2, ...ended });
  const killed = await run(last, {});

  const event = async (alarm: string, key: string, data: object = {}): Promise<string> =>
    await insertEntry(db, {
      kind: "event",
      title: `${key} is wrong`,
      content: `Head of ${alarm}.\n\n---\n\n`,
      created: before,
      data: {
        entry_id: `event_${alarm}`,
        fire_time: before,
        clear_time: null,
        last_seen: last,
        dedupe_key: key,
        subject: `${key} is wrong`,
        recipients: alarm === "many" ? ["p1@example.org", "p2@example.org"] : OPS,
        alarm_config_id: ids.get(alarm),
        ...data,
      },
    });
  const cleared = { clear_time: last, clear_reason: "no longer detected" };
  await event("things", "mailed", { last_notified: before + 1 });
  const failed = await event("things", "failed");
  await event("things", "cleared", { ...cleared, last_notified: before + 1 });
  await event("things", "unsent", { ...cleared, mail_owed: true });
  const partial = await event("many", "partial", { last_notified: before + 1 });
  const unknown = await event("killed", "unknown");
  const lost = await event("lost", "lost");

  const mail = async (alarm: string, eventId: string, data: object, run = whole): Promise<string> =>
    await insertEntry(db, {
      kind: "notification",
      title: `[alarm_${alarm}] 1 detection(s), 1 new, 0 continuing`,
      content: `Head of ${alarm}.\n\n---\n\nNEW (1):\n\n  [1] as it was mailed\n`,
      status: run === killed ? "active" : "done",
      created: run === killed ? last + 1 : before + 1,
      data: {
        entry_id: `notification_alarm_${alarm}`,
        alarm: `alarm_${alarm}`,
        run_id: run,
        channel: "ses",
        attempted_at: run === killed ? last + 1 : before + 1,
        recipients: OPS,
        new_event_ids: [eventId],
        continuing_event_ids: [],
        cleared_event_ids: [],
        attempts: 1,
        ...data,
      },
    });
  const end = { finished_at: before + 2, message_ids: [], retryable: true };
  await mail("things", failed, { ...end, outcome: "failed", error: "SES Throttling: slow down" });
  await mail("many", partial, {
    ...end,
    outcome: "partial",
    recipients: ["p1@example.org", "p2@example.org"],
    message_ids: ["ses-1"],
    pending: ["p2@example.org"],
    error: "SES Throttling: slow down",
  });
  await mail("killed", unknown, { outcome: "unknown" }, killed);
  await mail("lost", lost, {
    ...end,
    outcome: "failed",
    error: "SES TimeoutError: socket hang up",
    unknown_attempts: { last: before + 2, count: 1 },
    may_have_been_sent: true,
  });

  const state = async (what: string, id: string, data: object): Promise<string> =>
    await insertEntry(db, {
      kind: "engine_state",
      name: `state:${what}:${id}`,
      title: `State of ${what} ${id}`,
      created: before,
      data: { entry_id: `state_${what}_${id}`, ...data },
    });
  const cause = 'status 400 {"error":"down"}';
  await state("tick", "generation", { generation: randomUUID() });
  await state("source", "dark", { kind: "unreachable", since: before, cause, notified: true });
  await state("source", "dim", { kind: "unreachable", since: before, cause, notified: false });
  await state("source", "back", { kind: "recovered", since: before, until: last });
  const quarantine = (id: string, data: object): Promise<string> =>
    state("quarantine", id, {
      cause: "detect threw Error: boom (at detect)",
      failures: 3,
      fingerprint: "0b7f1c13ce3c98eb4b381c3a29306260",
      ...data,
    });
  const times = { wait: 2, pause: 2, since: before, tried_at: last, looked_at: last };
  await quarantine("broken", { quarantine: { ...times, notified: true } });
  await quarantine("dead", { quarantine: { ...times, notified: false } });
  const recovery = { since: before, until: last };
  await quarantine("mended", { failures: 0, recovery: { ...recovery, notified: true } });
  await quarantine("unheard", { failures: 0, recovery: { ...recovery, notified: false } });
}
