import type { Database } from "../../src/store/database.ts";
import { insertAlarm, insertEntry } from "./rows.ts";

const HOUR = 3600;
const OPS = ["ops@example.org"];

/** What the alarm `things` still detects, as its module yields it. */
export const STILL_THERE = [
  { key: "plain", subject: "plain is wrong" },
  { key: "mild", subject: "mild is wrong", data: { severity: "info" } },
  { key: "severe", subject: "severe is wrong", data: { severity: "error", metric: "4%" } },
  { key: "odd", subject: "odd is wrong", data: { severity: "high" } },
  { key: "reminded", subject: "reminded is wrong" },
  { key: "half", subject: "half is wrong" },
] as const;

/**
 * Fills a migrated database as the version before severities (commit 42181fa) left it, with rows copied from what that
 * version wrote. The alarm `things` notifies on email and chat, and `paged` on pager, which does not deliver.
 */
export async function writePreviousVersion(db: Database, now: number): Promise<void> {
  const fired = now - 2 * HOUR;
  const last = now - 300;
  // As Django's seeds have it.
  const seeds = { severity: "warning", kind: "alarm", renotification_window_hours: 24 };
  const things = await insertAlarm(db, "things", { ...seeds, channels: ["email", "chat"] });
  const paged = await insertAlarm(db, "paged", { severity: "critical", channels: ["pager"] });

  const to = { email: OPS, chat: ["https://chat.example.org"] };
  const both = { notified: { email: fired, chat: fired }, to };
  const event = async (key: string, swf: object, data: object = {}): Promise<string> =>
    await insertEntry(db, {
      kind: "event",
      title: `${key} is wrong`,
      content: "Head of things.\n\n---\n\n",
      created: fired,
      data: {
        swf: { news: "fired", news_at: fired, ...swf },
        subject: `${key} is wrong`,
        entry_id: "event_things",
        fire_time: fired,
        last_seen: last,
        clear_time: null,
        dedupe_key: key,
        recipients: OPS,
        alarm_config_id: things,
        last_notified: fired,
        ...data,
      },
    });
  await event("plain", both);
  await event("mild", both, { severity: "info" });
  await event("severe", both, { severity: "error", metric: "4%" });
  await event("odd", both, { severity: "high" });
  const reminded = now - HOUR;
  await event(
    "reminded",
    { ...both, notified: { email: reminded, chat: reminded }, reminders: 2 },
    { last_notified: reminded },
  );
  await event("half", { notified: { email: fired }, to });
  const cleared = { clear_time: last, clear_reason: "no longer detected" };
  await event(
    "gone",
    { notified: { email: fired }, to, news: "cleared", news_at: last, unsent: ["chat"] },
    cleared,
  );
  await event("over", { ...both, news: "cleared", news_at: last }, cleared);
  await event(
    "page",
    {},
    { entry_id: "event_paged", alarm_config_id: paged, last_notified: undefined },
  );

  await insertEntry(db, {
    kind: "engine_run",
    title: "Engine run",
    status: "done",
    created: last,
    data: {
      entry_id: `run_${Math.floor(last)}`,
      started_at: last,
      finished_at: last + 1,
      per_alarm: {},
    },
  });
  await insertEntry(db, {
    kind: "engine_state",
    name: "state:pending:engine",
    title: "State of pending engine",
    created: last,
    data: {
      entry_id: "state_pending_engine",
      pending: { "channel:pager": { hits: 1, first_seen: last } },
    },
  });
}
