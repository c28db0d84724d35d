import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { json } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, THINGS } from "../support/site.ts";

test("of fifty alarms one hangs for ever: the others finish, it is out of time, and the process ends by itself", async () => {
  const site = await makeSite({ engine: "alarm_timeout = 5" });
  site.things = [{ key: "a", subject: "A is wrong" }];
  await site.withDatabase(async (db) => {
    for (let number = 0; number < 50; number++) {
      const name = `alarm${String(number).padStart(2, "0")}`;
      site.module(
        `${name}.js`,
        number === 17
          ? `export async function* detect() { yield { dedupeKey: "before", subject: "Before it hung" }; setInterval(() => {}, 1000); await new Promise(() => {}); }`
          : THINGS,
      );
      await insertAlarm(db, name);
    }
  });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toBe("swf-alarms: alarm17: out of time: detect did not end within 5 s\n");
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({
    alarms_run: 50,
    alarms_seen: 50,
    notifications_sent: 50,
    errors: 1,
  });
  // What it had yielded is kept and mailed.
  expect(perAlarm(run, "alarm_alarm17")).toMatchObject({
    errors: 1,
    alarms_seen: 1,
    bundle_sent: true,
  });
  expect(await site.entries("event")).toHaveLength(50);
  expect(site.mail.mails).toHaveLength(50);
  expect(site.source.requests).toHaveLength(1);
});

test("two alarms that read the same list have it fetched once, also where it is too much for memory", async () => {
  const site = await makeSite({ engine: "max_connections = 1" });
  // Three pages of 12 MiB.
  const text = "x".repeat(4 * 2 ** 20);
  site.source.answer = (_request, response, url) => {
    const before = Number(url.searchParams.get("before_id") ?? 10);
    const items = [1, 2, 3].map((step) => ({ id: before - step, text }));
    const next = before - 3;
    json(response, { items, has_more: next > 1, next_before_id: next });
  };
  for (const name of ["one", "two"]) {
    site.module(
      `${name}.js`,
      `export async function* detect(client) {
        for await (const { id, text } of client.pages("/long/"))
          yield { dedupeKey: String(id), subject: String(text.length) };
      }`,
    );
    await insertAlarm(site, name);
  }
  expect(await site.tick()).toEqual(QUIET);
  expect(site.source.requests).toHaveLength(3);
  const seen = (await site.entries("event")).map(
    ({ data }) => `${data.dedupe_key} ${data.subject}`,
  );
  const each = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((id) => `${id} ${text.length}`);
  expect(seen.sort()).toEqual([...each, ...each].sort());
});

test("a module that blocks without waiting, but yields, is out of time too", async () => {
  const site = await makeSite({
    engine: "alarm_timeout = 0.3\nmax_detections = 10000000",
  });
  site.module(
    "endless.js",
    `export function* detect() { for (let n = 0; ; n++) yield { dedupeKey: String(n % 3), subject: "N" }; }`,
  );
  site.module("things.js", THINGS);
  await insertAlarm(site, "endless");
  const result = await site.tick();
  expect(result.code).toBe(1);
  expect(result.stderr).toContain("endless: out of time");
  expect((await site.entries("event")).map(({ data }) => data.dedupe_key).sort()).toEqual([
    "0",
    "1",
    "2",
  ]);
});

test("a source that never answers is out of time for one request, and clears nothing", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [{ key: "a", subject: "A is wrong" }];
  expect(await site.tick()).toEqual(QUIET);
  site.source.answer = () => {};
  site.configure({ engine: "request_timeout = 0.3" });
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: source main unreachable since [^\n]*no response within 0\.3 s[^\n]*; affected alarms: things\n$/,
  );
  expect(only(await site.entries("event")).data.clear_time).toBeNull();
});

test("five thousand detections are five thousand rows, one mail, and the same at the next tick", async () => {
  const site = await makeSite({ mail: "ses" });
  site.module(
    "flood.js",
    `export const detect = () => Array.from({ length: 5000 }, (_, n) => ({ dedupeKey: "k" + n, subject: "S" + n, data: { n } }));`,
  );
  await insertAlarm(site, "flood");
  expect(await site.tick()).toEqual(QUIET);
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_flood] 5000 detection(s), 5000 new, 0 continuing: S0",
  );
  expect(await site.tick()).toEqual(QUIET);
  const [counts] = await site.query(
    `SELECT count(*)::int AS n, count(DISTINCT data->>'dedupe_key')::int AS keys, count(data->'last_notified')::int AS mailed FROM entry WHERE kind = 'event'`,
  );
  expect(counts).toEqual({ n: 5000, keys: 5000, mailed: 5000 });
  expect(site.mail.mails).toHaveLength(1);
});
