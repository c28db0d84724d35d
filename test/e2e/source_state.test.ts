import { expect, test } from "vitest";
import { runData } from "../support/contract.ts";
import { json } from "../support/http_server.ts";
import { recipientsOf, sesError } from "../support/mail_service.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite } from "../support/site.ts";

const SLOW = 240_000;
const NAMES = ["a", "b", "c", "d", "e"];

test("a service that responds with half a body is unreachable, and no alarm is at fault", async () => {
  const site = await makeSite({ engine: "unreachable_after = 0", more: "" });
  for (const name of ["a", "b"]) {
    site.module(
      `${name}.js`,
      `export async function* detect(client) { await client.get("/${name}/"); }`,
    );
    await insertAlarm(site, name);
  }
  site.source.answer = (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end('{"items": [');
  };
  const { stderr } = await site.tick();
  expect(stderr).toMatch(
    /^swf-alarms: source main unreachable since [^\n]*2 of 2 in this tick; last: status 200, but [^\n]*; affected alarms: a, b\n$/,
  );
});

test(
  "a service that is down is one line on stderr and one mail to the operators, not one for each of five alarms",
  async () => {
    const site = await makeSite({
      engine: "unreachable_after = 0",
      more: 'operators = ["boss@example.org"]',
    });
    for (const name of NAMES) {
      site.module(
        `${name}.js`,
        `export async function* detect(client) { yield* client.pages("/${name}/"); }`,
      );
      await insertAlarm(site, name);
    }
    const answer = site.source.answer;
    site.source.answer = (_, response) => json(response, { error: "tunnel down" }, 400);
    const line =
      /^swf-alarms: source main unreachable since [^\n]*5 of 5 in this tick; last: status 400[^\n]*; affected alarms: a, b, c, d, e\n$/;
    for (let tick = 0; tick < 2; tick++)
      expect(await site.tick()).toEqual({
        code: 1,
        stdout: "",
        stderr: expect.stringMatching(line),
      });
    const mail = only(site.mail.mails);
    expect(mail.subject).toMatch(
      /^\[alarm_engine\] 1 detection\(s\), 1 new, 0 continuing: source main unreachable since /,
    );
    expect(mail.to).toEqual(["boss@example.org"]);
    const status = await site.command(["status", "--json"]);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({
      last_run: { error_count: 1 },
      sources: [{ source: "main", cause: expect.stringContaining("tunnel down") }],
      alarms: [
        ...NAMES.map((name) => ({ alarm: name, state: "failing" })),
        { alarm: "engine", state: "ready", events_firing: 1 },
      ],
    });

    site.source.answer = answer;
    expect(await site.tick()).toEqual(QUIET);
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails.map(({ subject }) => subject)).toEqual([
      mail.subject,
      expect.stringMatching(
        /^\[alarm_engine\] 0 detection\(s\), 0 new, 0 continuing, 1 cleared: source main /,
      ),
    ]);
    const runs = await site.entries("engine_run");
    expect(runs.map((run) => runData(run).notifications_sent)).toEqual([1, 0, 1, 0]);
    expect(await site.command(["status"])).toMatchObject({ code: 0 });
  },
  SLOW,
);

test(
  "status is healthy again once nothing uses what was in trouble: a source, a quarantine, a mail",
  async () => {
    const site = await makeSite({
      engine: "unreachable_after = 0\nquarantine_after = 1",
      more: 'operators = ["boss@example.org"]\n[sources.other]\nbase_url = "http://127.0.0.1:9"',
    });
    site.module(
      "asks.js",
      `export const SOURCES = ["other"];\nexport const detect = (client) => client.source("other").get("/x/");`,
    );
    site.module("throws.js", `export function detect() { throw new Error("bug"); }`);
    site.module("fires.js", `export const detect = () => [{ dedupeKey: "k" }];`);
    site.module("fine.js", "export const detect = () => [];");
    for (const name of ["asks", "throws", "fires", "fine"])
      await insertAlarm(site, name, { recipients: name === "fires" ? "ops@example.org" : [] });
    site.mail.refuse = (call) =>
      recipientsOf(call).includes("ops@example.org") ? sesError("MessageRejected", 400) : undefined;
    expect((await site.tick()).code).toBe(1);
    const before = await site.command(["status"]);
    expect(before.code).toBe(1);
    for (const line of [
      "source other has been unreachable since",
      "throws is quarantined",
      "fires has 1 event(s) not yet mailed",
      "the last mail of fires was not delivered",
    ])
      expect(before.stdout).toContain(`  ${line}`);

    for (const name of ["asks", "throws", "fires"])
      await site.command(["alarm", "set", name, "--archive"]);
    // What an archived alarm could not deliver stays due until its mail is off.
    expect((await site.tick()).stderr).toMatch(/^swf-alarms: fires: mail not sent: [^\n]*\n$/);
    await site.command(["alarm", "set", "fires", "--mail", "off"]);
    expect(await site.tick()).toEqual(QUIET);
    const after = await site.command(["status"]);
    expect(after.stdout).toMatch(/^engine healthy;/);
    expect(after.code).toBe(0);
    expect(await site.tick()).toEqual(QUIET);
    const mails = site.mail.mails.map(({ to, subject }) => `${to}: ${subject}`);
    expect(mails).toEqual([
      expect.stringMatching(
        /^boss@example\.org: \[alarm_engine\] .* 3 new, 0 continuing: source other/,
      ),
      expect.stringMatching(
        /^boss@example\.org: \[alarm_engine\] .*, 3 cleared: alarm throws is quarantined: it failed once$/,
      ),
    ]);
  },
  SLOW,
);
