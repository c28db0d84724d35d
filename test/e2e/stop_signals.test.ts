import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { busySite, holdAnswers, PATIENT } from "../support/busy_site.ts";
import { QUIET } from "../support/quiet.ts";
import { only } from "../support/rows.ts";
import type { Site } from "../support/site.ts";

const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: unknown; readonly stderr: string }>;
}

function start(command: readonly string[], site: Site, ...options: readonly string[]): Started {
  const [program = "", ...args] = [...command, process.execPath, ENTRY, "run"];
  const child = spawn(program, [...args, "--config", site.config, ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" },
  });
  child.stdout?.on("data", () => {});
  let stderr = "";
  child.stderr?.on("data", (text) => {
    stderr += text;
  });
  return { child, ended: once(child, "close").then(([code]) => ({ code, stderr })) };
}

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
  "%s ends a tick: its record is closed, its lock is free, nothing clears, and the next tick continues",
  async (signal) => {
    const site = await busySite({ engine: PATIENT });
    await site.tick();
    const held = holdAnswers(site);
    site.things = [];
    const { child, ended } = start([], site);
    await held.asked;
    child.kill(signal);
    const { code, stderr } = await ended;
    expect(code).toBe(1);
    expect(stderr).toContain(`the tick was stopped by ${signal}; the next tick continues`);
    const [, stopped] = await site.entries("engine_run");
    expect(stopped).toMatchObject({ status: "done", data: { finished_at: expect.any(Number) } });
    expect(stopped?.data.errors).toBe(1);
    expect(only(await site.entries("event")).data.clear_time).toBeNull();
    held.release();
    expect(await site.tick()).toEqual(QUIET);
    expect(await site.entries("skipped_tick")).toEqual([]);
    expect(only(await site.entries("event")).data.clear_time).toEqual(expect.any(Number));
  },
);

/** As in a container whose process 1 is the engine: the kernel delivers it no signal that it does not listen to. */
const AS_PROCESS_1 = ["unshare", "--fork", "--pid", "--kill-child"];
const canUnshare = spawnSync("unshare", [...AS_PROCESS_1.slice(1), "true"]).status === 0;
if (!canUnshare) console.log("skipped: this machine does not allow a namespace for processes");

test.skipIf(!canUnshare).each([
  ["a tick", []],
  ["--jitter", ["--jitter", "200", "-v"]],
])("SIGTERM ends process 1 of a container: %s", async (_, options) => {
  const site = await busySite({ engine: PATIENT });
  const held = holdAnswers(site);
  const { child, ended } = start(AS_PROCESS_1, site, ...options);
  const listens = options.length === 0 ? held.asked : once(child.stdout ?? child, "data");
  await listens;
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8");
  process.kill(Number(children), "SIGTERM");
  const { code, stderr } = await ended;
  expect([code, stderr]).toEqual([1, expect.stringContaining("the tick was stopped by SIGTERM")]);
  held.release();
});
