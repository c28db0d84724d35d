import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runEngine } from "../support/process.ts";
import { makeSite } from "../support/site.ts";

/** Prints what the process has loaded and which flags it gave V8, as one line of JSON on stderr. */
const SPY = `
const v8 = require("node:v8");
const flags = [];
const set = v8.setFlagsFromString;
v8.setFlagsFromString = (flag) => { flags.push(flag); set(flag); };
process.on("exit", () => {
  const files = Object.keys(require.cache);
  const node = process.moduleLoadList;
  require("node:fs").writeSync(2, JSON.stringify({ files, flags, node }) + "\\n");
});`;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-loading-"));
  writeFileSync(join(folder, "spy.cjs"), SPY);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Loaded {
  /** Names of the engine's own files. */
  readonly chunks: readonly string[];
  readonly packages: readonly string[];
  readonly flags: readonly string[];
  /** Node's own modules. */
  readonly node: readonly string[];
}

async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const env = { NODE_OPTIONS: `-r ${join(folder, "spy.cjs")}` };
  const { code, stderr } = await runEngine(args, { env });
  expect(code).toBe(0);
  const { files, flags, node } = JSON.parse(stderr);
  const match = (pattern: RegExp): string[] =>
    files.flatMap((file: string) => pattern.exec(file)?.[1] ?? []);
  return {
    chunks: match(/\/dist\/chunks\/([^/]+)\.js$/),
    packages: [...new Set(match(/\/node_modules\/((?:@[^/]+\/)?[^/]+)\//))],
    flags,
    node,
  };
}

const COMMANDS = ["run", "status", "migrate", "prune", "demo", "alarm_list", "team_set"];

test("each command loads its own code, and that of no other", async () => {
  const { chunks } = await loadedBy(["event", "list", "--help"]);
  expect(chunks).toContain("event_list");
  expect(chunks.filter((chunk) => COMMANDS.includes(chunk))).toEqual([]);
});

test("the version needs the command line's package alone", async () => {
  const { packages, flags } = await loadedBy(["--version"]);
  expect(packages).toEqual(["commander"]);
  // Both, or V8 optimises WebAssembly for longer than a tick uses it.
  expect(flags).toEqual(expect.arrayContaining(["--no-wasm-tier-up", "--no-wasm-dynamic-tiering"]));
});

test("a listener, which runs all the time, needs the command line's package alone", async () => {
  const format = ["listen", "--format", "supervisord"];
  const { packages, chunks, node } = await loadedBy([...format, "--spool", folder]);
  expect(packages).toEqual(["commander"]);
  expect(chunks.filter((chunk) => COMMANDS.includes(chunk))).toEqual([]);
  expect(node).not.toContain("NativeModule internal/deps/undici/undici");
});

test("a server's driver is loaded without the other drivers, mail, or Node's own fetch", async () => {
  const site = await makeSite({ database: "postgres" });
  const { packages, node } = await loadedBy(["event", "list", "--config", site.config]);
  expect(packages).toEqual(expect.arrayContaining(["pg", "smol-toml", "valibot"]));
  expect(packages.filter((name) => /pglite|aws|nodemailer|sucrase|undici/.test(name))).toEqual([]);
  expect(node).not.toContain("NativeModule internal/deps/undici/undici");
});
