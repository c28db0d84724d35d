import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stackInSources } from "../../src/cli/stack.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const BIN = join(ROOT, "dist", "program", "swf-alarms.js");

describe("an error that nobody expected", () => {
  let folder: string;
  const preload = (name: string, code: string): string => {
    const file = join(folder, name);
    writeFileSync(file, code);
    return file;
  };

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "swf-alarms-stack-"));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    [
      "in the command line",
      `const { Command } = require(${JSON.stringify(join(ROOT, "node_modules", "commander"))});
       Command.prototype.parseAsync = () => { throw new TypeError("provoked"); };`,
      /^swf-alarms: TypeError: provoked\n(?: {4}at .*\n)+ {4}at runMain \(src\/main\.ts:(\d+):\d+\)$/m,
      "src/main.ts",
      "parseAsync(",
    ],
    [
      "in the code of a command",
      `const fs = require("node:fs");
       const { existsSync } = fs;
       fs.existsSync = (path) => {
         if (String(path).endsWith("config.toml")) throw new RangeError("provoked");
         return existsSync(path);
       };`,
      /^swf-alarms: RangeError: provoked\n(?: {4}at .*\n)* {4}at findConfig \(src\/config\/load\.ts:(\d+):\d+\)$/m,
      "src/config/load.ts",
      "existsSync(",
    ],
  ])("%s names file and line of the source", async (_, code, pattern, source, statement) => {
    const args = ["-r", preload("fault.cjs", code), BIN, "status"];
    const failure = promisify(execFile)(process.execPath, args, { cwd: folder });
    const error: unknown = await failure.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(pattern) });
    const [, line] = pattern.exec(String(Reflect.get(Object(error), "stderr"))) ?? [];
    const lines = readFileSync(join(ROOT, source), "utf8").split("\n");
    expect(lines[Number(line) - 1]).toContain(statement);
  });
});

describe("a place in a stack trace", () => {
  test.each([
    ["of a package", "    at parse (/opt/a/node_modules/pg/dist/pg.js:3:4)"],
    ["of Node", "    at node:internal/process/task_queues:95:5"],
    ["of a module", "    at detect (/opt/site/alarms/x.ts:3:5)"],
    ["of a built file without a map", "    at f (/opt/nowhere/dist/chunks/main.js:10:5)"],
  ])("%s stays as it is", (_, stack) => {
    expect(stackInSources(`Error: x\n${stack}`)).toBe(`Error: x\n${stack}`);
  });
});
