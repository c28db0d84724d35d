import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { runEngine } from "../support/process.ts";

const COMMANDS = ["run", "status", "migrate", "prune", "demo", "alarm", "event", "team"];

test("without a command, or with help, every command is named", async () => {
  const help = await runEngine(["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
  const bare = await runEngine([]);
  expect(`${bare.stdout}${bare.stderr}`).toContain("Usage: swf-alarms");
});

test.for([
  ["alarm", ["list", "show", "new", "try", "set"]],
  ["event", ["list", "show", "ack", "unack", "clear"]],
  ["team", ["list", "set", "remove"]],
  ["run", ["list", "--dry-run", "--plan", "--alarm", "--verbose", "--config"]],
] as const)("help of %s lists its commands and options", async ([command, parts]) => {
  const { code, stdout, stderr } = await runEngine([command, "--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const part of parts) expect(stdout).toContain(part);
});

test("the version is the package's", async () => {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const version: unknown = JSON.parse(text).version;
  expect(await runEngine(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
});

describe("a usage error ends with exit code 2, and nothing is done", () => {
  test.for([
    { args: ["frobnicate"], says: /unknown command 'frobnicate'/ },
    { args: ["run", "--frobnicate"], says: /unknown option '--frobnicate'/ },
    { args: ["run", "extra"], says: /extra|too many arguments|unknown command/ },
    { args: ["alarm", "frobnicate"], says: /unknown command 'frobnicate'/ },
    { args: ["alarm", "show"], says: /missing required argument 'name'/ },
    { args: ["alarm", "set", "x", "--mail", "maybe"], says: /write on or off/ },
    { args: ["alarm", "set", "x", "--renotify", "soon"], says: /write a number of hours/ },
    {
      args: ["alarm", "set", "x", "--renotify", "-1"],
      says: /write a number of hours|argument missing/,
    },
    { args: ["event", "list", "--limit", "3000000000"], says: /at most 2147483647/ },
    {
      args: ["event", "list", "--limit", "many"],
      says: /write a whole number, at most \d+; 0 for all/,
    },
    { args: ["event", "list", "--pending", "--all"], says: /cannot be used with option '--all'/ },
    { args: ["event", "ack", "a", "k"], says: /required option '--reason <text>' not specified/ },
    {
      args: ["event", "ack", "a", "k", "--reason", "r", "--for", "2w"],
      says: /write a time such as 90m, 2h, 3d or 1h30m, at most 90d/,
    },
    {
      args: ["event", "ack", "a", "k", "--reason", "r", "--until", "2020-01-01 12:00"],
      says: /it is in the past: now it is .* UTC; write a later time/,
    },
    {
      args: ["event", "ack", "a", "k", "--reason", "r", "--for", "2h", "--until", "12:00"],
      says: /'--for <time>' cannot be used with option '--until <time>'/,
    },
    {
      args: ["event", "clear", "a", "k", "--reason", "r".repeat(501)],
      says: /write at most 500 characters/,
    },
    { args: ["team", "set", "@two words", "a@example.org"], says: /write one word such as @shift/ },
    { args: ["team", "set", "@shift"], says: /missing required argument 'address'/ },
    { args: ["run", "--config"], says: /argument missing/ },
    { args: ["run", "--jitter", "300"], says: /write a number of seconds from 0 to 240/ },
    { args: ["run", "--jitter", "5", "--plan"], says: /leave out --jitter/ },
  ])("swf-alarms $args", async ({ args, says }) => {
    const result = await runEngine(args);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(says);
  });

  test.for([
    { args: [], says: /required option '--config <file>' not specified/ },
    { args: ["--config", "x.toml", "--plan"], says: /unknown option '--plan'/ },
    { args: ["--config", "x.toml", "--alarm", "x"], says: /unknown option '--alarm'/ },
    { args: ["--config", "x.toml", "--json"], says: /unknown option '--json'/ },
    { args: ["--config", "x.toml", "extra"], says: /too many arguments/ },
  ])("swf-alarms-run $args", async ({ args, says }) => {
    const result = await runEngine(args, { bin: "swf-alarms-run" });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(says);
  });
});
