import { expect, onTestFinished, test } from "vitest";
import { openPostgres } from "../../src/store/postgres/connect.ts";
import { setTeam } from "../../src/store/teams.ts";
import { mainService } from "../support/configured.ts";
import { perAlarm, runData } from "../support/contract.ts";
import { createPostgres } from "../support/databases.ts";
import { json, startServer, type TestServer } from "../support/http_server.ts";
import { loginTo } from "../support/login.ts";
import { type Entry, insertAlarm, only, readEntries, readStateRows } from "../support/rows.ts";
import { type EngineAt, engineAt } from "./engine_at.ts";

/** Five processes for each of eight ticks, on machines with two cores. */
const SLOW = 180_000;

const NAMES = ["a", "b", "c", "d", "e"];
const OPERATORS = ["ops@example.org", "@shift"];

interface Dead {
  readonly engine: EngineAt;
  readonly source: TestServer;
  /** Whether the service answers. */
  answers: boolean;
}

/** Alarms on one service, which answers at first. */
async function alarms(names: readonly string[] = NAMES.slice(0, 2)): Promise<Dead> {
  const engine = await engineAt(async () => openPostgres(loginTo(await createPostgres())));
  const site: Dead = {
    engine,
    answers: true,
    source: await startServer((_, response, url) => {
      if (site.answers) json(response, { items: [{ key: url.pathname }], has_more: false });
      else json(response, { error: "tunnel down" }, 400);
    }),
  };
  onTestFinished(() => site.source.close());
  engine.configure({ sources: mainService(site.source.url), operators: OPERATORS });
  const team = { name: "@shift", title: "Shift", members: ["ana@example.org"] };
  await engine.db.transaction((tx) => setTeam(tx, team, "test", engine.now));
  for (const name of names) {
    engine.module(
      `${name}.js`,
      `export async function* detect(client) { for await (const { key } of client.pages("/${name}/")) yield { dedupeKey: key, subject: key }; }`,
    );
    await insertAlarm(engine.db, name);
  }
  return site;
}

async function next({ engine }: Dead, minutes = 5): Promise<readonly string[]> {
  engine.now += minutes * 60;
  return (await engine.tick())?.errors ?? ["no tick"];
}

async function aboutSources(engine: EngineAt): Promise<readonly Entry[]> {
  const attempts = await readEntries(engine.db, "notification");
  return attempts.filter(({ data }) => data.alarm === "alarm_engine");
}

/** What was tried to say of sources, and how that ended. */
async function told(engine: EngineAt): Promise<readonly string[]> {
  return (await aboutSources(engine)).map(({ data: { cleared_event_ids: cleared, outcome } }) => {
    const what = Array.isArray(cleared) && cleared.length > 0 ? "recovery" : "unreachable";
    return `${what}: ${outcome}`;
  });
}

const DOWN = "source main unreachable since 2027-01-15 08:05 UTC";
const NEW = `[alarm_engine] 1 detection(s), 1 new, 0 continuing: ${DOWN}`;
const OVER = `[alarm_engine] 0 detection(s), 0 new, 0 continuing, 1 cleared: ${DOWN}`;

const LINE =
  /^source main unreachable since 2027-01-15 08:05 UTC: every request failed \(5 of 5 in this tick; last: status 400[^)]*tunnel down[^)]*\); affected alarms: a, b, c, d, e$/;

test(
  "a dead source is one line in a tick, one mail after half an hour, and one when it is back",
  async () => {
    const site = await alarms(NAMES);
    const { engine } = site;
    await engine.tick();
    const mailsBefore = engine.mails().length;
    site.answers = false;
    for (const minutes of [5, 15, 14])
      expect(await next(site, minutes)).toEqual([expect.stringMatching(LINE)]);
    expect(await aboutSources(engine), "29 minutes are not yet worth a mail").toEqual([]);
    const run = (await readEntries(engine.db, "engine_run")).at(-1) ?? only([]);
    expect(runData(run)).toMatchObject({ errors: 1, error_details: expect.stringMatching(LINE) });
    // History shows each of them as unknown, not as clear.
    for (const name of NAMES)
      expect(perAlarm(run, `alarm_${name}`)).toMatchObject({
        errors: 1,
        error_message: expect.stringContaining(`GET /${name}/`),
        kept: 1,
      });

    await next(site, 1);
    await next(site);
    const trouble = only(await aboutSources(engine));
    expect(trouble).toMatchObject({
      title: NEW,
      content: expect.stringContaining("Affected alarms: a, b, c, d, e"),
      data: {
        entry_id: "notification_alarm_engine",
        outcome: "delivered",
        recipients: ["ops@example.org", "ana@example.org"],
      },
    });

    site.answers = true;
    expect(await next(site)).toEqual([]);
    expect(await next(site)).toEqual([]);
    const [, end, ...more] = await aboutSources(engine);
    expect(end).toMatchObject({
      title: OVER,
      data: { outcome: "delivered", recipients: ["ops@example.org", "ana@example.org"] },
    });
    expect(more).toEqual([]);
    expect(engine.mails()).toHaveLength(mailsBefore + 2);
    expect(only(await readStateRows(engine.db))).toMatchObject({
      name: "state:source:main",
      status: "done",
    });
  },
  SLOW,
);

test("a short trouble is nobody's mail, and leaves nothing behind", async () => {
  const site = await alarms();
  site.answers = false;
  await next(site);
  await next(site, 29);
  site.answers = true;
  await next(site);
  site.answers = false;
  await next(site, 29);
  await next(site);
  expect(await aboutSources(site.engine)).toEqual([]);
});

test("the mail is owed until it was delivered, and so is the one about the end", async () => {
  const site = await alarms();
  const { engine } = site;
  site.answers = false;
  await next(site);
  engine.blockMail(true);
  const errors = await next(site, 40);
  expect(errors).toEqual([
    expect.stringMatching(/^source main unreachable/),
    expect.stringMatching(/^engine: mail not sent: .*; fix the cause; every tick tries again$/),
  ]);
  engine.blockMail(false);
  await next(site);
  engine.blockMail(true);
  site.answers = true;
  await next(site);
  engine.blockMail(false);
  await next(site);
  await next(site);
  expect(await told(engine)).toEqual(["unreachable: delivered", "recovery: delivered"]);
});

test("one answer is enough: then each alarm has its own error", async () => {
  const site = await alarms();
  site.source.answer = (_, response, url) =>
    url.pathname === "/a/"
      ? json(response, { items: [], has_more: false })
      : json(response, {}, 400);
  const errors = await next(site);
  expect(errors.map((error) => error.split(":")[0])).toEqual(["b"]);
  expect(await readStateRows(site.engine.db)).toEqual([]);
});

test("what else is wrong with an alarm is told beside the one line", async () => {
  const site = await alarms();
  site.answers = false;
  site.engine.module(
    "b.js",
    `export async function* detect(client) { yield {}; yield* client.pages("/b/"); }`,
  );
  const errors = await next(site);
  expect(errors).toEqual([
    expect.stringMatching(/^source main unreachable/),
    expect.stringMatching(/^b: .*dedupeKey.*GET \/b\//),
  ]);
});

test("a tick that asks nothing of the source leaves its trouble as it is", async () => {
  const site = await alarms();
  const { engine } = site;
  site.answers = false;
  await next(site);
  const before = await readStateRows(engine.db);
  engine.says("quiet", { keys: [] });
  engine.now += 3600;
  expect((await engine.tick("tick", ["quiet"]))?.errors).toEqual([]);
  expect(await readStateRows(engine.db)).toEqual(before);
  expect(await aboutSources(engine)).toEqual([]);
});

test("operators without members are an error, and the mail goes out once there are some", async () => {
  const site = await alarms();
  const { engine } = site;
  engine.configure({ operators: ["@nobody"] });
  site.answers = false;
  await next(site);
  expect(await next(site, 40)).toEqual([
    expect.stringMatching(/^source main unreachable/),
    "engine: [email] operators: team @nobody does not exist or has no members",
  ]);
  engine.configure({ operators: ["ops@example.org"] });
  await next(site);
  expect(await aboutSources(engine)).toHaveLength(1);
});

test("without operators, and in a plan or a dry run, no mail is sent", async () => {
  const site = await alarms();
  const { engine } = site;
  site.answers = false;
  engine.configure({ operators: [] });
  await next(site);
  expect(await next(site, 40)).toHaveLength(1);
  engine.configure({ operators: OPERATORS });
  expect((await engine.tick("plan"))?.errors).toHaveLength(1);
  expect((await engine.tick("dry-run"))?.errors).toHaveLength(1);
  expect(await aboutSources(engine)).toEqual([]);
});

type Change = (site: Dead) => Promise<unknown>;
const query = async ({ engine }: Dead, sql: string) => await engine.db.query(sql);
const write = async ({ engine }: Dead, text: string) => engine.module("a.js", text);
const ASKS = `export async function* detect(client) { yield* client.pages("/a/"); }`;

test.for<[how: string, state: "ends" | "stays", change: Change, only?: readonly string[]]>([
  [
    "its alarm is archived",
    "ends",
    (site) => query(site, "UPDATE entry SET archived = true WHERE data->>'entry_id' = 'alarm_a'"),
  ],
  [
    "its alarm is deleted",
    "ends",
    (site) => query(site, "UPDATE entry SET deleted_at = 1 WHERE data->>'entry_id' = 'alarm_a'"),
  ],
  [
    "its alarm needs it no more",
    "ends",
    (site) => write(site, "export const SOURCES = []; export function* detect() {}"),
  ],
  [
    "its alarm lacks a parameter",
    "ends",
    (site) =>
      write(
        site,
        `export const PARAMS = { n: { type: "number", required: true, description: "n" } }; ${ASKS}`,
      ),
  ],
  [
    "it left the configuration",
    "ends",
    async ({ engine }) => engine.configure({ sources: mainService(undefined) }),
  ],
  ["the tick runs another alarm only", "stays", async () => {}, ["quiet"]],
  ["its alarm does not load", "stays", (site) => write(site, "export const detect =")],
  ["its alarm does not ask it", "stays", (site) => write(site, "export function* detect() {}")],
])("the outage of a source: when %s, it %s", async ([, expected, change, only]) => {
  const site = await alarms(["a"]);
  const { engine } = site;
  engine.says("quiet", { keys: [] });
  await engine.tick();
  site.answers = false;
  await next(site);
  await next(site, 40);
  expect(await aboutSources(engine)).toHaveLength(1);
  await change(site);
  for (let tick = 0; tick < 2; tick++) {
    engine.now += 3_600;
    await engine.tick("tick", only);
  }
  const [state] = await readStateRows(engine.db);
  expect(state?.status).toBe(expected === "ends" ? "done" : "active");
  const both = ["unreachable: delivered", "recovery: delivered"];
  expect(await told(engine)).toEqual(expected === "ends" ? both : both.slice(0, 1));
  site.answers = true;
  await query(site, "UPDATE entry SET archived = false, deleted_at = NULL WHERE kind = 'alarm'");
  await write(site, ASKS);
  engine.configure({ sources: mainService(site.source.url) });
  await next(site);
  expect(await told(engine)).toEqual(both);
});
