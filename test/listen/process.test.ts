import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseSpoolLine } from "../../src/spool/parse_spool_line.ts";
import { makeSite } from "../support/site.ts";

const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
const OK = "RESULT 2\nOKREADY\n";

function eventText(name: string, serial: number, payload = ""): string {
  return `ver:3.0 server:daq serial:${serial} pool:swf poolserial:${serial} eventname:${name} len:${payload.length}\n${payload}`;
}

interface Listening {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly serials: () => readonly (number | undefined)[];
  send(text: string): void;
}

/** A listener whose supervisord is this test; `via` is a command that ends in running its own arguments. */
function listen(args: readonly string[] = [], via: readonly string[] = []): Listening {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-listen-"));
  const command = ["listen", "--format", "supervisord", "--spool", folder, ...args];
  const [program = "", ...rest] = [...via, process.execPath, ENTRY, ...command];
  const child = spawn(program, rest, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const texts = () =>
    readdirSync(folder).flatMap((file) =>
      readFileSync(join(folder, file), "utf8").split("\n").slice(0, -1),
    );
  return {
    child,
    folder,
    stdout: () => stdout,
    stderr: () => stderr,
    serials: () => texts().map((text) => parseSpoolLine(text)?.serial),
    send: (text) => void child.stdin.write(text),
  };
}

describe("the process", () => {
  test("ends with 0 when its input ends", async () => {
    const { child, stdout, stderr, send, serials } = listen();
    send(eventText("TICK_60", 0, "when:1"));
    child.stdin?.end();
    expect(await once(child, "close")).toEqual([0, null]);
    expect([stdout(), stderr(), serials()]).toEqual([`READY\n${OK}`, "", [0]]);
  });

  test("ends with 0 on SIGTERM", async () => {
    const { child, stdout, stderr } = listen();
    await expect.poll(stdout).toBe("READY\n");
    child.kill("SIGTERM");
    expect(await once(child, "close")).toEqual([0, null]);
    expect(stderr()).toBe("");
  });

  test("ends with an error where it reads something else, so that it is started again", async () => {
    const { child, stdout, stderr, send } = listen();
    send("hello\n");
    expect(await once(child, "close")).toEqual([2, null]);
    expect(stdout()).toBe("READY\n");
    expect(stderr()).toContain('found "hello"');
  });

  test.each([
    ["an event that supervisord does not have", ["--events", "TIKC_60"], "(did you mean TICK_60?)"],
    ["a tick that --run-on does not know", ["--run-on", "TICK_5"], "TICK_60, TICK_3600"],
    ["--config without --run-on", ["--config", "config.toml"], "for the ticks of --run-on"],
  ])("refuses %s before it is READY", async (_, args, message) => {
    const { child, stdout, stderr } = listen(args);
    expect(await once(child, "close")).toEqual([2, null]);
    expect(stdout()).toBe("");
    expect(stderr()).toContain(message);
  });

  test("keeps what --events names, and TICK_60", async () => {
    const { child, send, folder } = listen(["--events", "PROCESS_LOG"]);
    send(eventText("PROCESS_LOG_STDOUT", 0, "a") + eventText("TICK_60", 1, "b"));
    send(eventText("PROCESS_STATE_EXITED", 2, "c"));
    child.stdin?.end();
    await once(child, "close");
    const text = readdirSync(folder).map((file) => readFileSync(join(folder, file), "utf8"));
    expect(text.join("").match(/"payload":"\w?"(,"skipped":true)?/g)).toEqual([
      '"payload":"a"',
      '"payload":"b"',
      '"payload":"","skipped":true',
    ]);
  });
});

const hasPrlimit = spawnSync("prlimit", ["--version"]).status === 0;
if (!hasPrlimit) console.log("skipped: a full disk needs prlimit (util-linux)");

test.skipIf(!hasPrlimit)(
  "a full disk is named once, leaves whole lines only, and loses no answer",
  async () => {
    // The second line does not fit any more, but its beginning does, as on a disk that is full.
    const { child, folder, stdout, stderr, send, serials } = listen(
      [],
      ["prlimit", "--fsize=200:"],
    );
    const size = (): number =>
      readdirSync(folder).reduce((sum, file) => sum + readFileSync(join(folder, file)).length, 0);
    send(eventText("TICK_60", 0, "when:1"));
    await expect.poll(stdout).toBe(`READY\n${OK}`);
    const whole = size();
    expect(whole).toBeGreaterThan(100);
    for (const serial of [1, 2]) send(eventText("TICK_60", serial, "when:1"));
    await expect.poll(stdout).toBe(`READY\n${OK.repeat(3)}`);
    expect(size()).toBe(whole);
    expect(stderr()).toMatch(/^swf-alarms: \S+ \S+ UTC cannot write to the spool .*EFBIG.*\n$/);
    spawnSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited:"]);
    send(eventText("TICK_60", 3, "when:1"));
    await expect.poll(stdout).toBe(`READY\n${OK.repeat(4)}`);
    expect(serials()).toEqual([0, 3]);
    expect(stderr().split("\n").slice(1)).toEqual([
      expect.stringMatching(/ is written again; 2 events are lost$/),
      "",
    ]);
  },
);

describe("--run-on", () => {
  test("runs a tick, and no second one meanwhile; nothing of it is in the protocol", async () => {
    const site = await makeSite({ database: "embedded", bare: true, mail: "none" });
    const { child, stdout, stderr, send } = listen([
      "--run-on",
      "TICK_60",
      "--config",
      site.config,
    ]);
    const ticks = Array.from({ length: 20 }, (_, serial) => eventText("TICK_60", serial, "when:1"));
    send(`${eventText("TICK_3600", 99)}${ticks.join("")}`);
    await expect.poll(stdout).toBe(`READY\n${OK.repeat(21)}`);
    await expect
      .poll(async () => (await site.command(["run", "list", "--json"])).stdout, { interval: 500 })
      .toContain('"finished_at": "20');
    expect(JSON.parse((await site.command(["run", "list", "--json"])).stdout).runs).toHaveLength(1);
    // The first has ended: the next starts another.
    child.stdin?.write(eventText("TICK_60", 21, "when:1"));
    await expect
      .poll(
        async () =>
          JSON.parse((await site.command(["run", "list", "--json"])).stdout).runs.filter(
            (run: { readonly finished_at: unknown }) => run.finished_at !== null,
          ).length,
        { interval: 500 },
      )
      .toBe(2);
    expect(stdout()).toBe(`READY\n${OK.repeat(22)}`);
    expect(stderr()).toBe("");
  });

  test("names a tick that cannot start, once", async () => {
    const { child, stderr, stdout, send } = listen([
      "--run-on",
      "TICK_60",
      "--config",
      "/nowhere/a.toml",
    ]);
    send(eventText("TICK_60", 0, "when:1"));
    await expect
      .poll(stderr)
      .toContain("a tick failed: it ended with exit code 2; to see why, run:");
    send(eventText("TICK_60", 1, "when:2"));
    await expect.poll(stdout).toBe(`READY\n${OK.repeat(2)}`);
    child.stdin?.end();
    await once(child, "close");
    expect(stderr().trimEnd().split("\n")).toHaveLength(1);
  });
});
