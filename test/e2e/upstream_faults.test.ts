import { expect, test } from "vitest";
import { perAlarm, runData } from "../support/contract.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site, THINGS } from "../support/site.ts";
import { UPSTREAM_FAULTS, type UpstreamFault } from "../support/upstream_faults.ts";

/** One of each family; test/source/upstream_faults.test.ts has them all. */
const MET: readonly UpstreamFault[] = [
  "dribbles its body",
  "resets in the middle of the body",
  "breaks off its gzip",
  "sends Latin-1 without saying so",
  "answers with a login page",
  "lists null",
  "moves its cursor up",
  "sends to itself for ever",
  "sends a number that is too large",
].map((name) => {
  const fault = UPSTREAM_FAULTS.find((known) => known.name === name);
  if (fault === undefined) throw new Error(`no fault "${name}" in test/support`);
  return fault;
});

async function activeKeys(site: Site): Promise<unknown[]> {
  const events = await site.entries("event");
  return events.flatMap(({ data }) => (data.clear_time === null ? [data.dedupe_key] : [])).sort();
}

test("whatever a service does wrong, no event clears, the record says why, and nothing is mailed again", async () => {
  const site = await makeSite({ engine: "request_timeout = 1" });
  site.module("things.js", THINGS);
  await insertAlarm(site, "things");
  site.things = [
    { key: "old", subject: "Old trouble" },
    { key: "other", subject: "Other trouble" },
  ];
  const healthy = site.source.answer;
  expect(await site.tick()).toEqual(QUIET);
  expect(site.mail.mails).toHaveLength(1);

  for (const { name, misbehave, says } of MET) {
    site.source.answer = (request) => misbehave(request.socket, request.url ?? "");
    const { code, stdout, stderr } = await site.tick();
    expect([name, code, stdout]).toEqual([name, 1, ""]);
    expect(stderr).toMatch(says);
    const run = (await site.entries("engine_run")).at(-1);
    if (run === undefined) throw new Error("the tick left no engine_run");
    expect(runData(run)).toMatchObject({ errors: 1, notifications_sent: 0 });
    expect(perAlarm(run, "alarm_things").error_message).toMatch(says);
    expect(perAlarm(run, "alarm_things").error_message).not.toMatch(/\p{Cc}/u);
    expect(await activeKeys(site)).toEqual(["old", "other"]);
  }

  site.source.answer = healthy;
  expect(await site.tick()).toEqual(QUIET);
  expect(await activeKeys(site)).toEqual(["old", "other"]);
  expect(site.mail.mails).toHaveLength(1);
  site.things = [{ key: "other", subject: "Other trouble" }];
  expect(await site.tick()).toEqual(QUIET);
  expect(await activeKeys(site)).toEqual(["other"]);
}, 180_000);

test("a service that is down does not get requests from every alarm of the tick", async () => {
  const site = await makeSite({ mail: "none" });
  site.source.answer = (_request, response) => {
    response.writeHead(503, { "retry-after": "3600" });
    response.end("down");
  };
  const names = Array.from({ length: 30 }, (_, index) => `alarm${index}`);
  for (const name of names) {
    site.module(`${name}.js`, THINGS.replace("/things/", `/${name}/`));
  }
  const { code, stderr } = await site.tick();
  expect(code).toBe(1);
  expect(stderr).toContain("status 503 down");
  const run = only(await site.entries("engine_run"));
  const lines = names.map((name) => perAlarm(run, `alarm_${name}`).error_message);
  for (const line of lines) expect(line).toContain("status 503 down");
  // Eight errors, and up to three requests that were running at the eighth.
  expect(site.source.requests.length).toBeGreaterThanOrEqual(8);
  expect(site.source.requests.length).toBeLessThanOrEqual(11);
  expect(lines.filter((line) => line.includes("not sent: main failed"))).toHaveLength(
    names.length - site.source.requests.length,
  );
});
