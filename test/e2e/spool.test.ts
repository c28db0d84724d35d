import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { processesGone, startVictim } from "../crash/victim.ts";
import { QUIET } from "../support/quiet.ts";
import { makeSite, type Site } from "../support/site.ts";
import { append, line } from "../support/spool.ts";

const SLOW = 240_000;
const KILLS = 12;

/** Each event of the spool is an entity, and the module counts them over all ticks. */
const COUNTING = `
export const SOURCES = ["events"];
export async function* detect(client) {
  let { value: count = 0 } = (await client.previous()) ?? {};
  for await (const { serial } of client.source("events").pages()) {
    count += 1;
    yield { dedupeKey: String(serial) };
  }
  client.remember(count);
}`;

async function spoolSite(module: string): Promise<{ site: Site; spool: string }> {
  const site = await makeSite({ mail: "none" });
  const spool = join(site.folder, "spool");
  mkdirSync(spool);
  const more = `[sources.events]\nkind = "spool"\npath = ${JSON.stringify(spool)}`;
  site.configure({ mail: "none", more });
  site.module("reads_events.js", module);
  return { site, spool };
}

const now = (): number => Date.now() / 1000;

async function keysOf(site: Site): Promise<readonly unknown[]> {
  return (await site.entries("event")).map(({ data }) => data.dedupe_key);
}

test("each event of a spool is seen once, wherever ticks are killed", {
  timeout: SLOW,
}, async () => {
  const { site, spool } = await spoolSite(COUNTING);
  const write = (serial: number): void => {
    // The listener dies before its answer, and its other process gets the event again.
    const written = line(serial, now());
    append(spool, `${serial % 3}.jsonl`, [written]);
    append(spool, `${(serial + 1) % 3}.jsonl`, [written]);
  };
  write(0);
  const started = performance.now();
  expect(await site.tick()).toEqual(QUIET);
  const seconds = (performance.now() - started) / 1000;
  let serial = 1;
  for (let kill = 0; kill < KILLS; kill++) {
    for (let n = 0; n < 5; n++) write(serial++);
    const victim = startVictim(site);
    await sleep(((kill + 1) / KILLS) * seconds * 1000);
    victim.kill();
    await victim.ended;
    await processesGone(site);
  }
  write(serial++);
  expect(await site.tick()).toEqual(QUIET);
  const keys = await keysOf(site);
  expect(keys.map(Number).toSorted((a, b) => a - b)).toEqual([...Array(serial).keys()]);
  const [memory] = await site.entries("alarm_memory");
  expect(memory?.data).toMatchObject({ alarm: "reads_events", value: String(serial) });
});

test("a position is kept although the module remembers nothing, and not by what writes nothing", {
  timeout: SLOW,
}, async () => {
  const { site, spool } = await spoolSite(`
export const SOURCES = ["events"];
export async function* detect(client) {
  if ((await client.previous()) !== undefined) throw new Error("it never remembered");
  for await (const { event, serial, payload } of client.source("events").pages()) {
    if (event === "throw") throw new Error("no");
    if (event !== "TICK_60") yield { dedupeKey: String(serial), subject: payload };
  }
}`);
  const payload = "café\ud800\n\0";
  append(spool, "a.jsonl", [
    line(0, now()),
    line(1, now(), { event: "PROCESS_STATE_FATAL", payload }),
  ]);
  for (const command of [
    ["alarm", "try", "reads_events"],
    ["run", "--plan"],
  ]) {
    expect((await site.command(command)).stdout).toContain("café");
    expect(await site.entries("alarm_memory")).toEqual([]);
  }
  expect(await site.tick()).toEqual(QUIET);
  expect(await keysOf(site)).toEqual(["1"]);
  expect(await site.tick()).toEqual(QUIET);
  expect(await keysOf(site)).toEqual(["1"]);
  const [kept] = await site.entries("alarm_memory");
  expect(kept?.data).toEqual({
    entry_id: "memory_reads_events",
    alarm: "reads_events",
    "position:events": expect.stringContaining('"a.jsonl"'),
  });

  append(spool, "a.jsonl", [line(2, now(), { event: "throw" })]);
  expect((await site.tick()).code).toBe(1);
  expect((await site.entries("alarm_memory"))[0]?.data).toEqual(kept?.data);
});

test("a listener that is silent shows as a source that does not respond", {
  timeout: SLOW,
}, async () => {
  const { site, spool } = await spoolSite(COUNTING);
  append(spool, "a.jsonl", [line(0, now() - 200)]);
  const { code, stderr } = await site.tick();
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /source events unreachable since .*: every request failed \(1 of 1 in this tick; last: no line from the listener swf of supervisor \(for 20\d s\), .*; affected alarms: reads_events/,
  );
  expect(await keysOf(site)).toEqual(["0"]);
  expect((await site.command(["status"])).stdout).toContain("events");
  append(spool, "a.jsonl", [line(1, now())]);
  expect(await site.tick()).toEqual(QUIET);
  expect(await keysOf(site)).toEqual(["0", "1"]);
});
