import { expect, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { loginTo } from "../support/login.ts";
import { insertAlarm, insertEntry } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

const SLOW = 120_000;
const EMPTY_RUN = { alarms_run: 0, alarms_seen: 0, notifications_sent: 0, error_details: "" };

interface Run {
  readonly minutesAgo: number;
  readonly took?: number;
  readonly data?: { readonly [key: string]: unknown };
}

async function insertRun(site: Site, { minutesAgo, took, data = {} }: Run): Promise<void> {
  const started = Date.now() / 1000 - minutesAgo * 60;
  const end = took === undefined ? {} : { ...EMPTY_RUN, finished_at: started + took, errors: 0 };
  await insertEntry(site, {
    kind: "engine_run",
    created: started,
    data: { entry_id: `run_${Math.floor(started)}`, started_at: started, ...end, ...data },
  });
}

async function status(site: Site): Promise<{ code: number | null; lines: readonly string[] }> {
  const { code, stdout, stderr } = await site.command(["status"]);
  expect(stderr).toBe("");
  return { code, lines: stdout.split("\n") };
}

test(
  "before the first tick it says so",
  async () => {
    const site = await makeSite({ database: "embedded" });
    expect(await status(site)).toMatchObject({
      code: 1,
      lines: expect.arrayContaining([
        "  no tick has finished yet; check that cron runs bin/swf-alarms run",
        "last tick     none yet",
        "no alarms",
      ]),
    });
  },
  SLOW,
);

test(
  "it shows running, crashed and skipped ticks, and the result of each alarm's last run",
  async () => {
    const site = await makeSite();
    await insertAlarm(site, "well");
    await insertAlarm(site, "mended");
    await insertAlarm(site, "waiting", { enabled: false });
    await insertAlarm(site, "archived", {}, { archived: true });
    const well = { errors: 0, error_message: "" };
    await insertRun(site, { minutesAgo: 300 });
    await insertRun(site, {
      minutesAgo: 20.5,
      took: 3.25,
      data: {
        per_alarm: {
          alarm_well: well,
          alarm_mended: { errors: 1, error_message: "it broke" },
          alarm_waiting: { errors: 0, not_configured: "parameter a has no value" },
          alarm_archived: { errors: 1, error_message: "of old" },
          alarm_unloaded: { errors: 1, error_message: "cannot load it" },
        },
      },
    });
    await insertRun(site, {
      minutesAgo: 10,
      took: 1,
      data: { only: ["mended"], per_alarm: { alarm_mended: well } },
    });
    for (const hours of [1, 2, 25])
      await insertEntry(site, { kind: "skipped_tick", created: Date.now() / 1000 - hours * 3600 });
    for (const [outcome, minutes] of [
      ["failed", 30],
      ["unknown", 20],
      ["delivered", 10],
      ["failed", 3000],
    ] as const)
      await insertEntry(site, {
        kind: "notification",
        title: `mail ${minutes}`,
        created: Date.now() / 1000 - minutes * 60,
        data: {
          alarm: "alarm_well",
          outcome,
          error: outcome === "failed" ? "SES said no" : undefined,
        },
      });
    const shown = await status(site);
    expect(shown.code).toBe(1);
    expect(shown.lines.slice(0, 3)).toEqual([
      "needs attention; 0 event(s) firing, 0 not yet mailed",
      "  no tick has finished for 20 min; check that cron runs it",
      "  unloaded is failing",
    ]);
    const text = shown.lines.join("\n");
    for (const part of [
      /^last tick {5}\d{4}-.*, 20 min ago, took 3\.3 s, 0 error\(s\)$/m,
      /^running now {3}no$/m,
      /^crashed {7}\d{4}-.*, 5 h ago$/m,
      /^skipped {7}2 in the last 24 h$/m,
      /^well +ready +on +0 +0$/m,
      /^mended +ready +on +0 +0$/m,
      /^waiting +not configured +off +0 +0 +parameter a has no value$/m,
      /^unloaded +failing +off +0 +0 +cannot load it$/m,
      /^\d{4}-\S+ \S+ UTC +[0-9a-f]{8} +well +email +failed +yes +SES said no$/m,
      /^\d{4}-\S+ \S+ UTC +[0-9a-f]{8} +well +email +unknown +yes +mail 20$/m,
    ])
      expect(text).toMatch(part);
    expect(text).not.toMatch(/archived|mail 3000/);

    await insertRun(site, { minutesAgo: 1 });
    const db = await openPostgres(loginTo(site.dsn ?? ""));
    const lock = await db.tryLock("swf-alarms tick");
    try {
      const busy = (await status(site)).lines;
      expect(busy).toContain("  no tick has finished for 20 min; one is running");
      expect(busy.join("\n")).toMatch(/^running now {3}for \d+ s$/m);
      expect(busy.join("\n")).toMatch(/^crashed .* 5 h ago$/m);
    } finally {
      if (lock.held) await lock.lock.release();
      await db.close();
    }
    expect((await status(site)).lines.join("\n")).toMatch(/the tick of .* did not finish/);
  },
  SLOW,
);
