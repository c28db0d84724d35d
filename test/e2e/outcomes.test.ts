import { expect, test } from "vitest";
import { eventData, perAlarm, runData } from "../support/contract.ts";
import { json } from "../support/http_server.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";

/** A site whose things came and were mailed in a first tick: `old` and `other`. */
async function siteWithOldThings(text = THINGS): Promise<Site> {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [
    { key: "old", subject: "Old trouble" },
    { key: "other", subject: "Other trouble" },
  ];
  await site.tick();
  site.mail.mails.length = 0;
  site.module("things.js", text);
  return site;
}

async function states(site: Site): Promise<{ [key: string]: boolean }> {
  const events = await site.entries("event");
  return Object.fromEntries(
    events.map(({ data }) => [String(data.dedupe_key), data.clear_time === null]),
  );
}

test("a page that fails keeps everything active and still mails what the pages before it showed", async () => {
  const site = await siteWithOldThings();
  site.source.answer = (_, response, url) => {
    if (url.searchParams.has("before_id")) {
      response.writeHead(502, { "content-type": "application/json" });
      response.end('{"error": "Cannot reach swf-monitor (tunnel down?)"}');
    } else {
      json(response, {
        items: [{ id: 7, key: "new", subject: "New trouble", body: "seen on page one" }],
        has_more: true,
        next_before_id: 7,
      });
    }
  };
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(
    /^swf-alarms: things: GET [^\n]*before_id=7[^\n]*status 502[^\n]*tunnel down[^\n]*\n$/,
  );
  expect(await states(site)).toEqual({ old: true, other: true, new: true });
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_things] 1 detection(s), 1 new, 0 continuing: New trouble");
  expect(mail.text).toContain("New trouble");
  expect(mail.text).toContain("seen on page one");
  // The mail says that it may not be all.
  expect(mail.text).toContain("status 502");
  const run = (await site.entries("engine_run"))[1] ?? only([]);
  expect(runData(run)).toMatchObject({ errors: 1, alarms_seen: 1, notifications_sent: 1 });
  expect(perAlarm(run, "alarm_things")).toMatchObject({
    alarms_seen: 1,
    errors: 1,
    bundle_new: 1,
    bundle_sent: true,
  });
  expect(perAlarm(run, "alarm_things").error_message).toContain("status 502");
  const fired = (await site.entries("event")).find(({ data }) => data.dedupe_key === "new");
  expect(fired?.data.last_notified).toBeDefined();
});

test("a page that fails and that the module does not reach is not an error: what it did not yield clears", async () => {
  const site = await siteWithOldThings(`export async function* detect(client) {
    for await (const { key, subject } of client.pages("/things/")) {
      yield { dedupeKey: key, subject };
      break;
    }
    await client.get("/after/");
  }`);
  let failed = (): void => {};
  const failure = new Promise<void>((resolve) => {
    failed = resolve;
  });
  site.source.answer = (_, response, url) => {
    if (url.pathname === "/after/") {
      failure.then(() => json(response, {}));
    } else if (url.searchParams.has("before_id")) {
      json(response, { error: "no" }, 403);
      failed();
    } else {
      json(response, {
        items: [{ id: 7, key: "old", subject: "Old trouble" }],
        has_more: true,
        next_before_id: 7,
      });
    }
  };
  expect(await site.tick()).toEqual(QUIET);
  expect(await states(site)).toEqual({ old: true, other: false });
  const run = (await site.entries("engine_run"))[1] ?? only([]);
  expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 0, outcome: "complete" });
});

test("a 502 that is over within the tick is not an error", async () => {
  const site = await siteWithOldThings();
  let left = 2;
  const items = [...site.things];
  site.source.answer = (_, response) => {
    left -= 1;
    if (left >= 0) json(response, { error: "down" }, 502);
    else json(response, { items, has_more: false, next_before_id: null });
  };
  expect(await site.tick()).toEqual(QUIET);
  expect(await states(site)).toEqual({ old: true, other: true });
});

test.for([
  {
    name: "throws after two detections",
    text: `export async function* detect() { yield { dedupeKey: "n1", subject: "N1" }; yield { dedupeKey: "n2", subject: "N2" }; throw new RangeError("out of luck"); }`,
    seen: { old: true, other: true, n1: true, n2: true },
    mailed: 2,
    says: /detect threw RangeError: out of luck/,
  },
  {
    name: "throws something that is no Error",
    text: `export function* detect() { yield { dedupeKey: "n1", subject: "N1" }; throw "bad\\u0000 day"; }`,
    seen: { old: true, other: true, n1: true },
    mailed: 1,
    says: /detect threw string bad/,
  },
  {
    name: "catches the fetch failure and goes on as if nothing were",
    text: `export async function* detect(client) { await client.get("/here/"); try { await client.get("/gone/"); } catch {} yield { dedupeKey: "old", subject: "O" }; }`,
    seen: { old: true, other: true },
    mailed: 0,
    says: /GET \/gone\/ from main: status 404/,
  },
  {
    name: "says that it is incomplete",
    text: `export async function* detect(client) { client.incomplete("the counts are all zero"); }`,
    seen: { old: true, other: true },
    mailed: 0,
    says: /the counts are all zero/,
  },
  {
    name: "yields things that are no detections",
    text: `export function* detect() { yield null; yield "a"; yield {}; yield { dedupeKey: "" }; yield { dedupeKey: "x", subject: 5 }; yield { dedupeKey: "good", subject: "Good" }; }`,
    seen: { old: true, other: true, good: true },
    mailed: 1,
    says: /yielded null; a detection is/,
  },
  {
    name: "returns nothing",
    text: "export function detect() {}",
    seen: { old: true, other: true },
    mailed: 0,
    says: /detect returned undefined/,
  },
  {
    name: "exports a detect that rejects",
    text: `export async function detect() { throw new Error("no way"); }`,
    seen: { old: true, other: true },
    mailed: 0,
    says: /detect threw Error: no way/,
  },
])(
  "a module that $name clears nothing and keeps what it yielded",
  async ({ text, seen, mailed, says }) => {
    const site = await siteWithOldThings(text);
    site.source.answer = (_, response, url) =>
      json(response, { error: "not here" }, url.pathname === "/here/" ? 200 : 404);
    const result = await site.tick();
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(says);
    expect(result.stderr).toMatch(/^swf-alarms: things: [^\n]*\n$/);
    expect(await states(site)).toEqual(seen);
    const counts = `[alarm_things] ${mailed} detection(s), ${mailed} new, 0 continuing: `;
    expect(site.mail.mails.map(({ subject }) => subject)).toEqual(
      mailed === 0 ? [] : [expect.stringContaining(counts)],
    );
    const run = (await site.entries("engine_run"))[1] ?? only([]);
    expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 1 });
    expect(perAlarm(run, "alarm_things").error_message).toMatch(says);
    expect(runData(run).error_details).toMatch(says);
  },
);

test.for([
  { name: "a list", text: `export const detect = () => [{ dedupeKey: "k", subject: "K" }];` },
  {
    name: "a promise of a list",
    text: `export const detect = async () => [{ dedupeKey: "k", subject: "K" }];`,
  },
  {
    name: "a sync generator",
    text: `export function* detect() { yield { dedupeKey: "k", subject: "K" }; }`,
  },
  {
    name: "a set",
    text: `export const detect = () => new Set([{ dedupeKey: "k", subject: "K" }]);`,
  },
])("detect may give $name", async ({ text }) => {
  const site = await makeSite();
  site.module("k.js", text);
  await insertAlarm(site, "k");
  expect(await site.tick()).toEqual(QUIET);
  expect(only(await site.entries("event"))).toMatchObject({
    title: "K",
    content: "Head of k.\n\n---\n\n",
  });
});

test("the same key twice in a tick is one event, and the first yield counts", async () => {
  const site = await makeSite();
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [
    { key: "k", subject: "First" },
    { key: "k", subject: "Second" },
    { key: 7, subject: "A number" },
    { key: "7", subject: "The same as a text" },
  ];
  expect(await site.tick()).toEqual(QUIET);
  expect((await site.entries("event")).map(({ title }) => title).sort()).toEqual([
    "A number",
    "First",
  ]);
  expect(only(site.mail.mails).subject).toBe(
    "[alarm_things] 2 detection(s), 2 new, 0 continuing: First",
  );
  const run = only(await site.entries("engine_run"));
  expect(runData(run)).toMatchObject({ alarms_seen: 2, errors: 0 });
  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(2);
});

test("text that Postgres refuses is made safe, and the entity is the same at the next tick", async () => {
  const site = await makeSite();
  site.module(
    "odd.js",
    `export const detect = () => [
      { dedupeKey: "nul\\u0000key", subject: "nul \\u0000 subject", body: "nul \\u0000 body", data: { taskname: "a\\u0000b", ["k\\u0000"]: 1 } },
      { dedupeKey: "nan", subject: "NaN", data: { rate: NaN, over: Infinity, under: -Infinity, big: 10n, when: new Date(0), f() {}, s: Symbol("s"), u: undefined, deep: { list: [NaN, undefined] } } },
      { dedupeKey: "lone \\ud800 surrogate", subject: "lone \\ud800", body: "\\udfff", data: { text: "\\ud83d" } },
      { dedupeKey: "long", subject: "é".repeat(300) },
      { dedupeKey: "astral", subject: "😀".repeat(300) },
      { dedupeKey: "lines", subject: "one\\ntwo\\r\\nthree\\tfour" },
      { dedupeKey: "k".repeat(5000), subject: "long key" },
      { dedupeKey: "cycle", subject: "cycle", data: (() => { const d = { name: "me" }; d.self = d; return d; })() },
      { dedupeKey: "list", subject: "list as data", data: [1, 2] },
      { dedupeKey: "bare" },
    ];`,
  );
  await insertAlarm(site, "odd");
  expect(await site.tick()).toEqual(QUIET);
  const events = await site.entries("event");
  expect(events).toHaveLength(10);
  const get = (part: string) =>
    only(events.filter(({ data }) => String(data.dedupe_key).includes(part)));
  for (const event of events) {
    eventData(event);
    // A key has them as text, so their backslash is escaped itself.
    const text = JSON.stringify(event).replaceAll("\\\\", "");
    expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/);
    expect([...event.title].length).toBeLessThanOrEqual(255);
  }
  expect(get("nul")).toMatchObject({
    title: "nul � subject",
    content: "Head of odd.\n\n---\n\nnul � body",
    data: { dedupe_key: "nul\\u0000key", taskname: "a�b", "k�": 1 },
  });
  expect(get("nan").data).toMatchObject({
    rate: "NaN",
    over: "Infinity",
    under: "-Infinity",
    big: "10",
    when: "1970-01-01T00:00:00.000Z",
    deep: { list: ["NaN", null] },
  });
  expect(get("nan").data).not.toHaveProperty("u");
  expect(get("lone").data).toMatchObject({ subject: "lone �", text: "�" });
  expect(get("long").title).toBe("é".repeat(255));
  expect(get("long").data.subject).toBe("é".repeat(300));
  expect(get("astral").title).toBe("😀".repeat(255));
  expect(get("lines").title).toBe("one two three four");
  expect(get("lines").data.subject).toBe("one\ntwo\r\nthree\tfour");
  expect(get("cycle").data).toMatchObject({ name: "me", self: "[cycle]" });
  expect(get("list").data.detection_data).toEqual([1, 2]);
  expect(get("bare")).toMatchObject({ title: "bare", data: { subject: "bare" } });
  const mail = only(site.mail.mails);
  expect(mail.subject).toBe("[alarm_odd] 10 detection(s), 10 new, 0 continuing: nul � subject");
  expect(mail.text).not.toContain("\0");

  expect(await site.tick()).toEqual(QUIET);
  expect(await site.entries("event")).toHaveLength(10);
  expect(site.mail.mails).toHaveLength(1);
});

test("a detection's own data never overwrites the engine's keys, and is kept beside them", async () => {
  const site = await makeSite();
  site.module(
    "greedy.js",
    `export const detect = () => [{ dedupeKey: "k", subject: "K", data: {
      entry_id: "event_other", fire_time: "yesterday", clear_time: 5, clear_reason: "x", mail_owed: true, last_seen: 1, last_notified: 2,
      dedupe_key: "z", subject: "z", recipients: "evil@example.org", alarm_config_id: "z", swf: { notified: { email: 1 } }, status: "running", metric: "9%" } }];`,
  );
  const alarmId = await insertAlarm(site, "greedy", { enabled: false });
  expect(await site.tick()).toEqual(QUIET);
  const event = only(await site.entries("event"));
  const startedAt = runData(only(await site.entries("engine_run"))).started_at;
  expect(event.data).toStrictEqual({
    status: "running",
    metric: "9%",
    detection_entry_id: "event_other",
    detection_fire_time: "yesterday",
    detection_clear_time: 5,
    detection_clear_reason: "x",
    detection_mail_owed: true,
    detection_last_seen: 1,
    detection_last_notified: 2,
    detection_dedupe_key: "z",
    detection_subject: "z",
    detection_recipients: "evil@example.org",
    detection_alarm_config_id: "z",
    detection_swf: { notified: { email: 1 } },
    entry_id: "event_greedy",
    fire_time: startedAt,
    clear_time: null,
    last_seen: startedAt,
    dedupe_key: "k",
    subject: "K",
    recipients: ["ops@example.org"],
    alarm_config_id: alarmId,
    swf: { news_at: startedAt, news: "fired" },
  });
});

test("a promise without await, and an error in a timer, affect no other alarm", async () => {
  const site = await siteWithOldThings();
  site.module(
    "stray.js",
    `export async function* detect() { Promise.reject(new Error("stray promise")); setTimeout(() => { throw new Error("stray timer"); }, 5); await new Promise((resolve) => setTimeout(resolve, 50)); }`,
  );
  await insertAlarm(site, "stray");
  const result = await site.tick();
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toContain("stray promise");
  expect(result.stderr).toContain("stray timer");
  expect(await states(site)).toEqual({ old: true, other: true });
  const run = (await site.entries("engine_run"))[1] ?? only([]);
  expect(perAlarm(run, "alarm_things")).toMatchObject({ errors: 0, alarms_seen: 2 });
});

test.for([
  ["gives up by a timer of its own", "await Promise.race([client.get(path), sleep(200)])"],
  ["leaves to itself, with its errors caught", "void client.get(path).catch(() => undefined)"],
  [
    "gives up in a scope",
    'await Promise.race([client.request(path, { scope: "old" }), sleep(200)])',
    { old: true, other: false },
  ],
] as const)(
  "what a response would say that detect %s was not seen",
  async ([, call, after = { old: true, other: true }]) => {
    const site = await siteWithOldThings(`
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
export async function* detect(client) { const path = "/never/"; ${call}; }`);
    // Without a response.
    site.source.answer = () => {};
    const { code, stderr } = await site.tick();
    expect(code).toBe(1);
    expect(stderr).toContain("a request was still running when detect ended; await each one");
    expect(await states(site)).toEqual(after);
  },
);

test("a module that ends events at a 404 ends none at that of a proxy", async () => {
  const site = await siteWithOldThings(`export async function* detect(client) {
  for (const key of await client.firing()) {
    const found = await client.request("/things/" + key, { scope: key });
    if (found.status === 404) yield { dedupeKey: key, clear: "gone" };
  }
}`);
  site.source.answer = (_, response, url) => {
    if (url.pathname.endsWith("other")) return json(response, { error: "no such thing" }, 404);
    response.writeHead(404, { "content-type": "text/html" });
    response.end("<html><title>404 Not Found</title>");
  };
  const { code, stderr } = await site.tick();
  expect(code).toBe(1);
  expect(stderr).toContain(
    "GET /things/old from main: status 404, but not from the service itself",
  );
  expect(await states(site)).toEqual({ old: true, other: false });
});
