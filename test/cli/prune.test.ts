import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { loginTo } from "../support/login.ts";
import { insertEntry } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

const SLOW = 120_000;
const DAY = 86_400;
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d UTC$/);

test("without --dry-run or --yes, and with both, it does nothing and says what to use", async () => {
  const site = await makeSite();
  for (const args of [[], ["--dry-run", "--yes"]])
    expect(await site.command(["prune", ...args])).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "swf-alarms: use prune --dry-run to see what would be removed, or prune --yes to remove it\n",
    });
});

test.for(["postgres", "embedded"] as const)(
  "on %s it shows what would be removed, and removes that",
  { timeout: SLOW },
  async (database) => {
    const site = await makeSite({ database, more: "[retention]\ncleared_events_days = 30" });
    const now = Date.now() / 1000;
    await site.withDatabase(async (db) => {
      for (let n = 0; n < 25; n++)
        await insertEntry(db, { kind: "engine_run", created: now - n, data: { finished_at: now } });
      for (const days of [20, 20, 21, 40])
        await insertEntry(db, { kind: "engine_run", created: now - days * DAY });
      await insertEntry(db, { kind: "skipped_tick", created: now - 22 * DAY });
      for (const days of [40, 20]) {
        const created = now - days * DAY;
        await insertEntry(db, { kind: "event", created, data: { clear_time: created } });
      }
      await insertEntry(db, { kind: "notification", created: now - 300 * DAY });
    });
    const plan = await site.command(["prune", "--dry-run"]);
    expect(plan).toMatchObject({ code: 0, stderr: "" });
    expect(plan.stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
      ["TO REMOVE", "ROWS", "OLDEST", "NEWEST"],
      ["engine runs", "4", TIME, TIME],
      ["skipped ticks", "1", TIME, TIME],
      ["cleared events", "1", TIME, TIME],
      ["notifications", "0", "-", "-"],
      ["memory rows", "0", "-", "-"],
      [""],
    ]);
    const facts: unknown = JSON.parse(
      (await site.command(["prune", "--dry-run", "--json"])).stdout,
    );
    expect(facts).toMatchObject({
      to_remove: [
        { kind: "engine runs", rows: 4 },
        { kind: "skipped ticks", rows: 1 },
        { kind: "cleared events", rows: 1 },
        { kind: "notifications", rows: 0, oldest: null, newest: null },
        { kind: "memory rows", rows: 0, oldest: null, newest: null },
      ],
    });
    expect(await site.command(["prune", "--yes"])).toEqual({
      code: 0,
      stdout: "removed 4 engine runs, 1 skipped tick, 1 cleared event\n",
      stderr: "",
    });
    expect(await site.command(["prune", "--yes"])).toMatchObject({
      code: 0,
      stdout: "nothing to remove\n",
    });
    expect(JSON.parse((await site.command(["prune", "--yes", "--json"])).stdout)).toEqual({
      version: 1,
      removed: [],
      finished: true,
    });
    await site.withDatabase(async (db) => {
      expect(
        await db.query("SELECT kind, count(*)::int AS rows FROM entry GROUP BY 1 ORDER BY 1"),
      ).toEqual([
        { kind: "engine_run", rows: 25 },
        { kind: "event", rows: 1 },
        { kind: "notification", rows: 1 },
      ]);
    });
  },
);

test("if all rows are kept forever it says so", async () => {
  const more = '[retention]\nengine_runs_days = "forever"\nnotifications_days = "forever"';
  const site = await makeSite({ more });
  expect(await site.command(["prune", "--dry-run"])).toEqual({
    code: 0,
    stdout: "[retention] keeps all rows forever\n",
    stderr: "",
  });
  expect((await site.command(["prune", "--yes"])).stdout).toBe("nothing to remove\n");
});

test(
  "Ctrl-C stops it after the statement at hand, and the next run goes on",
  async () => {
    const site = await makeSite({ more: "[retention]\ncleared_events_days = 30" });
    const insert = (rows: number) =>
      site.query(
        `INSERT INTO entry (id, title, content, kind, data, archived, timestamp_created, timestamp_modified, context_id)
         SELECT gen_random_uuid()::text, '', '', 'event', '{"clear_time": 1}', false, n, 0, 'swf-alarms'
         FROM generate_series(1, ${rows}) AS n`,
      );
    // The clock is certain by it.
    await site.tick();
    await insert(1_500);
    const entry = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
    const holder = await openPostgres(loginTo(site.dsn ?? ""));
    try {
      // Another session keeps the table, so the first DELETE waits.
      const child = await holder.transaction(async (tx) => {
        await tx.query("LOCK TABLE entry IN SHARE MODE");
        const prune = spawn(process.execPath, [entry, "prune", "--yes", "--config", site.config]);
        const waiting = `SELECT 1 FROM pg_locks WHERE NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
        while ((await tx.query(waiting)).length === 0) await sleep(20);
        prune.kill("SIGINT");
        await sleep(500);
        return prune;
      });
      let stdout = "";
      child.stdout.on("data", (chunk) => {
        stdout += chunk;
      });
      const [code] = await once(child, "close");
      expect({ code, stdout }).toEqual({
        code: 1,
        stdout:
          "removed 1000 cleared events\nstopped before the end; run prune --yes again to continue\n",
      });
    } finally {
      await holder.close();
    }
    expect((await site.command(["prune", "--yes"])).stdout).toBe("removed 500 cleared events\n");
  },
  SLOW,
);
