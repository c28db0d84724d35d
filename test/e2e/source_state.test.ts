import { expect, test } from "vitest";
import { runData } from "../support/contract.ts";
import { json } from "../support/http_server.ts";
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
    expect(mail.subject).toMatch(/^\[swf-alarms\] source main unreachable since /);
    expect(mail.to).toEqual(["boss@example.org"]);
    const status = await site.command(["status", "--json"]);
    expect(status.code).toBe(1);
    expect(JSON.parse(status.stdout)).toMatchObject({
      last_tick: { errors: 1 },
      sources: [{ source: "main", cause: expect.stringContaining("tunnel down") }],
      alarms: NAMES.map((name) => ({ alarm: name, state: "failing" })),
    });

    site.source.answer = answer;
    expect(await site.tick()).toEqual(QUIET);
    expect(await site.tick()).toEqual(QUIET);
    expect(site.mail.mails.map(({ subject }) => subject)).toEqual([
      mail.subject,
      "[swf-alarms] source main responds again",
    ]);
    const runs = await site.entries("engine_run");
    expect(runs.map((run) => runData(run).notifications_sent)).toEqual([1, 0, 1, 0]);
    expect(await site.command(["status"])).toMatchObject({ code: 0 });
  },
  SLOW,
);
