import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseJitter, waitJitter } from "../../src/cli/jitter.ts";
import { filesIn, makeSite } from "../support/site.ts";

describe("what --jitter takes", () => {
  test.each([
    ["0", 0],
    ["20", 20],
    ["0.5", 0.5],
    ["240", 240],
  ])("%s s", (text, seconds) => {
    expect(parseJitter(text)).toBe(seconds);
  });

  test.each(["", "-1", "241", "1e2", "0x10", "Infinity", "NaN", "20s", " 20", "1."])(
    "not %j",
    (text) => {
      expect(() => parseJitter(text)).toThrow(
        "write a number of seconds from 0 to 240, such as 20",
      );
    },
  );
});

test.each([
  [0, 0.99, "waiting for 0.0 s of --jitter 0"],
  [0.2, 0, "waiting for 0.0 s of --jitter 0.2"],
  [0.2, 0.5, "waiting for 0.1 s of --jitter 0.2"],
])("of %d s, at %d, that much is waited", async (jitter, random, said) => {
  const details: string[] = [];
  const started = performance.now();
  const none = (): void => {};
  await waitJitter(jitter, random, {
    debug: (text) => details.push(text),
    info: none,
    error: none,
  });
  expect(details).toEqual([said]);
  // A timer may fire up to a millisecond early.
  expect(performance.now() - started).toBeGreaterThan(jitter * random * 1000 - 2);
});

/** Random numbers as they come, but always the same one. */
const FIXED = "data:text/javascript,Math.random = () => 0.75;";
const BIN = fileURLToPath(new URL("../../dist/program/", import.meta.url));

test.each([
  ["swf-alarms.js", ["run"]],
  ["swf-alarms-run.js", []],
] as const)("%s opens nothing while it waits, and a signal ends it at once", async (bin, words) => {
  const site = await makeSite({ database: "embedded", bare: true });
  const args = [...words, "--jitter", "200", "-v", "--config", site.config];
  const child = spawn(process.execPath, ["--import", FIXED, `${BIN}${bin}`, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await once(child.stdout, "data");
  expect(String(said)).toContain("waiting for 150.0 s of --jitter 200");
  child.kill("SIGTERM");
  expect(await once(child, "close")).toEqual([1, null]);
  expect(filesIn(site.folder)).toEqual(["alarms", "config.toml", "log"]);
  expect(site.log()).toContain(" error the tick was stopped by SIGTERM");
  expect(site.source.requests).toEqual([]);
});

test("a tick that has waited is a tick", async () => {
  const site = await makeSite();
  expect(await site.tick("--jitter", "0.01")).toMatchObject({ code: 0, stdout: "", stderr: "" });
  expect(await site.entries("engine_run")).toHaveLength(1);
});
