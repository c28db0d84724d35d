import { describe, expect, test } from "vitest";
import { json } from "../support/http_server.ts";
import { insertAlarm, insertEntry } from "../support/rows.ts";
import { shiftedClock } from "../support/shifted_clock.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

const SLOW = 240_000;
const DAY = 86_400;
const YEAR = 365 * DAY;
const RETENTION = "[retention]\ncleared_events_days = 30\nnotifications_days = 365";

const seconds = (): number => Date.now() / 1000;

/** A site that has run for a while: a tick every five minutes until `age` seconds ago, cleared events and mails of every age. */
async function makeUsedSite(database: "postgres" | "embedded", age: number): Promise<Site> {
  const site = await makeSite({ database, more: RETENTION });
  site.module("things.mjs", THINGS);
  const now = seconds();
  await site.withDatabase(async (db) => {
    await insertAlarm(db, "things");
    for (let n = 0; n < 25; n++) {
      const created = now - age - n * 300;
      await insertEntry(db, {
        kind: "engine_run",
        created,
        data: { started_at: created, finished_at: created + 1, errors: 0, per_alarm: {} },
      });
    }
    for (const days of [1, 20, 29]) {
      const created = now - days * DAY;
      await insertEntry(db, { kind: "event", created, data: { clear_time: created } });
      await insertEntry(db, { kind: "notification", created, data: { outcome: "delivered" } });
    }
  });
  return site;
}

/** The service answers as always, but without telling the time, or with a time that is wrong by so much. */
function serviceClock(site: Site, shift: number | "silent"): void {
  site.source.answer = (_, response) => {
    if (shift === "silent") response.sendDate = false;
    else response.setHeader("date", new Date((seconds() + shift) * 1000).toUTCString());
    json(response, { items: site.things, has_more: false, next_before_id: null });
  };
}

async function kept(site: Site) {
  const rows = await site.query(
    `SELECT kind, count(*)::int AS rows FROM entry
     WHERE kind IN ('event', 'notification') AND data->>'entry_id' IS DISTINCT FROM 'event_engine' GROUP BY 1 ORDER BY 1`,
  );
  return Object.fromEntries(rows.map((row) => [String(row.kind), Number(row.rows)]));
}

const ALL = { event: 3, notification: 3 };
const DOUBT = /this host's clock shows \d{4}-.*Until another clock agrees, no old row is removed/;
const DISAGREE =
  /the clock and the records disagree: it is \d{4}-.*, but a tick started at .* ahead/;

const tickAt = (site: Site, shift: number) => site.command(["run"], { env: shiftedClock(shift) });
const statusAt = (site: Site, shift: number) =>
  site.command(["status"], { env: shiftedClock(shift) });

const SHIFTS = [
  ["five years ahead", 5 * YEAR],
  ["five years back", -5 * YEAR],
  ["forty days ahead", 40 * DAY],
  ["a little more than two days ahead", 2 * DAY + 3600],
] as const;

describe.each([
  ["postgres", SHIFTS],
  // Each command opens it anew, which takes seconds; how far the clock is off makes no difference to it.
  ["embedded", SHIFTS.slice(0, 2)],
] as const)("on %s", (database, shifts) => {
  test.each(shifts)(
    "ticks with the clock %s remove nothing and say so; then one with the right clock is well",
    { timeout: SLOW },
    async (_, shift) => {
      const site = await makeUsedSite(database, 300);
      for (let n = 0; n < 2; n++) {
        const wrong = await tickAt(site, shift + n * 300);
        expect(wrong.code).toBe(1);
        expect(wrong.stderr.match(new RegExp(DOUBT, "g"))).toHaveLength(1);
        expect(wrong.stderr).toContain("the service main shows");
        expect(await kept(site)).toEqual(ALL);
      }
      if (shift > 0) {
        const after = await statusAt(site, 0);
        expect(after.code).toBe(1);
        expect(after.stdout).toMatch(DISAGREE);
        expect(after.stdout).not.toMatch(/last tick.*, 0 s ago/);
        expect(after.stdout).toMatch(/last tick.*, (5|6|7) min ago|last tick.*, \d+ s ago/);
      }
      expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
      expect(await kept(site)).toEqual(ALL);
      // After a clock that was set back only another clock makes it certain: the tick after that is the first.
      expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
      const status = await statusAt(site, 0);
      expect(status).toMatchObject({ code: 0 });
      expect(status.stdout).toContain("engine healthy");
    },
  );
});

test(
  "where no other clock is seen, a clock far ahead removes nothing, and the right one goes on at once",
  async () => {
    const site = await makeUsedSite("embedded", 300);
    serviceClock(site, "silent");
    for (const shift of [5 * YEAR, 5 * YEAR + 300]) {
      const wrong = await tickAt(site, shift);
      expect(wrong).toMatchObject({ code: 1 });
      expect(wrong.stderr).toMatch(DOUBT);
      expect(wrong.stderr).toContain("no other clock was seen");
    }
    expect(await kept(site)).toEqual(ALL);
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    expect((await statusAt(site, 0)).code).toBe(0);
  },
  SLOW,
);

test(
  "a machine that was off for three weeks removes nothing until a service's Date agrees; then it does",
  async () => {
    const site = await makeUsedSite("postgres", 21 * DAY);
    await site.query(
      "UPDATE entry SET timestamp_created = timestamp_created - $1 WHERE kind = $2",
      [21 * DAY, "notification"],
    );
    const removable = seconds() - 45 * DAY;
    await insertEntry(site, { kind: "event", created: removable, data: { clear_time: removable } });
    const all = { event: 4, notification: 3 };
    for (const clock of ["silent", 3 * DAY, -30 * DAY, "silent"] as const) {
      serviceClock(site, clock);
      const tick = await site.tick();
      expect(tick.code).toBe(1);
      expect(tick.stderr).toMatch(DOUBT);
      expect(await kept(site)).toEqual(all);
    }
    const status = await statusAt(site, 0);
    expect(status.code).toBe(1);
    expect(status.stdout).toMatch(DOUBT);
    serviceClock(site, 0);
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
    expect(await kept(site)).toEqual({ ...all, event: 3 });
    expect((await statusAt(site, 0)).code).toBe(0);
  },
  SLOW,
);

test(
  "prune removes nothing while the clock is in doubt, unless a person confirms it",
  async () => {
    const site = await makeUsedSite("embedded", 300);
    const wrong = { env: shiftedClock(5 * YEAR) };
    const refused = await site.command(["prune", "--yes"], wrong);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^swf-alarms: removed nothing: this host's clock shows/);
    expect(await kept(site)).toEqual(ALL);
    expect(await site.command(["prune", "--yes"])).toMatchObject({ code: 0 });

    serviceClock(site, "silent");
    await site.query("UPDATE entry SET timestamp_created = timestamp_created - $1", [21 * DAY]);
    expect((await site.tick()).code).toBe(1);
    expect(await site.command(["prune", "--yes", "--confirm-clock"])).toMatchObject({ code: 0 });
    expect(await site.tick()).toMatchObject({ code: 0, stderr: "" });
  },
  SLOW,
);

test(
  "a reminder is not held back by a mail that was sent with the clock ahead",
  async () => {
    const site = await makeUsedSite("postgres", 300);
    await site.query(`UPDATE entry SET data = data || $1::text::jsonb WHERE kind = 'alarm'`, [
      JSON.stringify({ renotification_window_hours: 24, enabled: true }),
    ]);
    site.things = [{ key: "a", subject: "a is wrong" }];
    await tickAt(site, 5 * YEAR);
    expect(site.mail.mails).toHaveLength(1);
    await site.tick();
    expect(site.mail.mails).toHaveLength(2);
    await site.tick();
    expect(site.mail.mails).toHaveLength(2);
  },
  SLOW,
);

test(
  "where no run is recorded, prune judges the clock by the newest event",
  async () => {
    const site = await makeUsedSite("postgres", 300);
    await site.query("DELETE FROM entry WHERE kind = 'engine_run'");
    const rows = await kept(site);
    const refused = await site.command(["prune", "--yes"], { env: shiftedClock(5 * YEAR) });
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(await kept(site)).toEqual(rows);
  },
  SLOW,
);
