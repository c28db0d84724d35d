import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { DEFAULT_EVENTS, isKept } from "../../src/listen/event_names.ts";
import { commandLines } from "../support/command_lines.ts";
import { makeSite, type Site } from "../support/site.ts";
import { SpoolReader, spoolLines } from "../support/spool.ts";
import { hasSupervisord, startSupervisord } from "../support/supervisord.ts";

const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
const EXAMPLE = readFileSync(
  new URL("../../deploy/supervisord.conf.example", import.meta.url),
  "utf8",
);

const real = describe.skipIf(!hasSupervisord());

/** A listener by which ours is judged; it refuses the first event of each name in its arguments. */
const REFERENCE = `
import json, sys
path, *refused = sys.argv[1:]
print("READY", flush=True)
for line in iter(sys.stdin.readline, ""):
    head = dict(pair.split(":", 1) for pair in line.split())
    payload = sys.stdin.read(int(head["len"]))
    name = head["eventname"]
    with open(path, "a") as file:
        file.write(json.dumps([int(head["serial"]), name, payload]) + "\\n")
    if name in refused:
        refused.remove(name)
        print("RESULT 4\\nFAILREADY", flush=True)
    else:
        print("RESULT 2\\nOKREADY", flush=True)
`;

/** Kills the first listener that has written its line of a program that exited, and has not answered. */
const KILL_BEFORE_ANSWER = `
const { readdirSync, readFileSync, writeFileSync, existsSync } = require("node:fs");
const write = process.stdout.write;
process.stdout.write = function (text, ...rest) {
  const spool = process.env.TEST_SPOOL;
  const mine = readdirSync(spool).filter((name) => name.includes("." + process.pid + "."));
  const lines = mine.map((name) => readFileSync(spool + "/" + name, "utf8")).join("");
  const last = lines.trimEnd().split("\\n").at(-1);
  if (String(text).startsWith("RESULT") && last.includes("EXITED") && !existsSync(spool + "-killed")) {
    writeFileSync(spool + "-killed", last);
    process.kill(process.pid, "SIGKILL");
  }
  return write.call(this, text, ...rest);
};
`;

/** The shipped section, for this machine: its paths, its user, and a number of processes. */
function exampleFor(folder: string, processes: number, more = ""): string {
  mkdirSync(join(folder, "spool"));
  return [
    ["command=/usr/bin/node ", `command=${process.execPath} `],
    ["/opt/swf-alarms/bin/swf-alarms listen", `${ENTRY} listen`],
    ["--spool /var/spool/swf-alarms\n", `--spool ${folder}/spool${more}\n`],
    ["numprocs=1", `numprocs=${processes}`],
    ["user=swf-listen", `user=${userInfo().username}`],
    ["/var/log/supervisor/swf-alarms-listen.log", `${folder}/listen.log`],
  ].reduce((text, [from = "", to = ""]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, EXAMPLE);
}

const PROGRAMS = `
[program:crasher]
command=/bin/sh -c "sleep 2; exit 3"
autorestart=unexpected
[program:fastdie]
command=/bin/sh -c "exit 7"
startretries=1
[program:stubborn]
command=/bin/sh -c "trap '' TERM; while :; do sleep 0.1; done"
stopwaitsecs=1
[program:speaker]
command=/bin/sh -c "printf '<!--XSUPERVISOR:BEGIN-->ALERT:DAQ:ERROR:café µ 🚀<!--XSUPERVISOR:END-->'; printf 'ünwanted\\\\n'; exec sleep 1000"
stdout_capture_maxbytes=1MB
stdout_events_enabled=true
`;

real("a supervisord with two listener processes", () => {
  test("what happens is in the spool once, although listeners are restarted and others refuse events", async () => {
    const supervisord = await startSupervisord(
      (folder) => {
        writeFileSync(join(folder, "reference.py"), REFERENCE);
        // By their names they begin after ours: it alone hears that its own group was added.
        const reference = `/usr/bin/env python3 ${folder}/reference.py`;
        return `${exampleFor(folder, 2)}
[eventlistener:z-reference]
command=${reference} ${folder}/reference.jsonl
events=EVENT
buffer_size=1000
[eventlistener:z-refuser]
command=${reference} ${folder}/refused.jsonl PROCESS_STATE_EXITED TICK_5
events=PROCESS_STATE_EXITED,TICK_5
buffer_size=1000
${PROGRAMS.replaceAll("%", "%%")}`;
      },
      // The reference counts characters.
      { PYTHONUTF8: "1" },
    );
    onTestFinished(() => supervisord.stop());
    const { folder, ctl } = supervisord;
    const spool = join(folder, "spool");
    const seen = (): readonly (readonly [number, string, string])[] => {
      const path = join(folder, "reference.jsonl");
      const text = existsSync(path) ? readFileSync(path, "utf8") : "";
      const events: readonly [number, string, string][] = text
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line));
      return [...new Map(events.map((event) => [event[0], event])).values()];
    };
    const happened = (pattern: RegExp): number =>
      seen().filter(([, name, payload]) => pattern.test(`${name} ${payload}`)).length;
    const kept = () => spoolLines(spool).filter(({ skipped }) => skipped !== true);

    await expect.poll(() => happened(/STATE_FATAL processname:fastdie/)).toBe(1);
    await expect.poll(() => happened(/STATE_RUNNING processname:stubborn/)).toBe(1);
    await expect.poll(() => happened(/COMMUNICATION_STDOUT .*café µ 🚀/s)).toBe(1);
    ctl("stop", "stubborn");
    await expect.poll(() => happened(/EXITED processname:crasher .*expected:0/)).toBeGreaterThan(2);
    ctl("restart", "swf-alarms:*");
    await expect.poll(() => happened(/TICK_5 /)).toBeGreaterThan(0);
    ctl("stop", "crasher");
    await expect.poll(() => happened(/STATE_STOPPED processname:(stubborn|crasher)/)).toBe(2);

    const wanted = (): readonly unknown[] =>
      seen()
        .filter(([, name]) => isKept(name, DEFAULT_EVENTS))
        .toSorted(([a], [b]) => a - b);
    const unique = (): readonly unknown[] => [
      ...new Map(
        kept().map((line) => [line.serial, [line.serial, line.event, line.payload]]),
      ).values(),
    ];
    await expect.poll(() => unique().slice(1)).toEqual(wanted());
    expect(wanted().map(String).join("\n")).not.toContain("ünwanted");

    const lines = spoolLines(spool);
    expect(new Set(lines.map(({ origin }) => origin)).size).toBe(1);
    expect(lines[0]?.origin).toMatch(/^test-daq:\d+-/);
    const numbers = [...new Set(lines.map(({ poolserial }) => poolserial))];
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index));
    // An event that another listener refused comes again, and even one to which this one has not subscribed.
    expect(lines.filter(({ event }) => event === "TICK_5")).toEqual([
      expect.objectContaining({ payload: "", skipped: true }),
    ]);
    expect(kept().length).toBeGreaterThan(unique().length);
    expect(readdirSync(spool).length).toBeGreaterThanOrEqual(4);
    // An alarm reads each once; of two listeners, not always in the order of the serials.
    const read = await new SpoolReader(spool).tick(Date.now() / 1000);
    expect(read).toMatchObject({ status: "complete", reasons: [] });
    const inOrder = read.events.toSorted((a, b) => a.serial - b.serial);
    expect(inOrder.map(({ serial, event, payload }) => [serial, event, payload])).toEqual(unique());
  });

  test("an event whose listener is killed before its answer is written again, under the same name", async () => {
    const supervisord = await startSupervisord((folder) => {
      writeFileSync(join(folder, "kill.cjs"), KILL_BEFORE_ANSWER);
      const environment = `environment=NODE_OPTIONS="-r ${folder}/kill.cjs",TEST_SPOOL="${folder}/spool"`;
      return `${exampleFor(folder, 2)}\n${environment}\n${PROGRAMS}`;
    });
    onTestFinished(() => supervisord.stop());
    const spool = join(supervisord.folder, "spool");
    const marker = `${spool}-killed`;
    await expect.poll(() => existsSync(marker)).toBe(true);
    const { at: _, ...killed } = JSON.parse(readFileSync(marker, "utf8"));
    const again = () => spoolLines(spool).filter(({ serial }) => serial === killed.serial);
    await expect.poll(() => again().length).toBe(2);
    for (const line of again()) expect(line).toMatchObject(killed);
    // Those after it are not lost either.
    const last = spoolLines(spool).at(-1)?.serial ?? 0;
    await expect.poll(() => spoolLines(spool).at(-1)?.serial).toBeGreaterThan(last);
    const numbers = [...new Set(spoolLines(spool).map(({ poolserial }) => poolserial))];
    expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index));
  });
});

real("a supervisord that is reloaded, whose listeners have small buffers", () => {
  test("the events that they lose are counted", { timeout: 120_000 }, async () => {
    const pools = ["swf", "other"];
    const command = (folder: string): string =>
      `${process.execPath} ${ENTRY} listen --format supervisord --spool ${folder}/spool`;
    const supervisord = await startSupervisord((folder) => {
      mkdirSync(join(folder, "spool"));
      const listeners = pools.map(
        (pool) =>
          `[eventlistener:${pool}]\ncommand=${command(folder)}\nevents=PROCESS_STATE,SUPERVISOR_STATE_CHANGE\nbuffer_size=3`,
      );
      // Each is RUNNING at once, before a listener has begun to read.
      const programs = `[program:many]\ncommand=/bin/sleep 1000\nnumprocs=12\nprocess_name=p%(process_num)02d\nstartsecs=0`;
      return [...listeners, programs].join("\n");
    });
    onTestFinished(() => supervisord.stop());
    const spool = join(supervisord.folder, "spool");
    const reader = new SpoolReader(spool);
    /** The serials that a pool lost, by supervisord's own log, in its latest life or in those before. */
    const discarded = (pool: string, isLatest: boolean): readonly number[] => {
      const lives = supervisord.log().split("supervisord started with pid");
      const log = isLatest ? lives.slice(-1) : lives.slice(0, -1);
      const all = log
        .join("")
        .matchAll(/pool (\S+) event buffer overflowed, discarding event (\d+)/g);
      return [...all].flatMap(([, name, serial]) => (name === pool ? Number(serial) : []));
    };
    const serials = (pool: string): readonly number[] =>
      spoolLines(spool).flatMap((line) => (line.pool === pool ? line.serial : []));
    /** Waits until both listeners have its last event, after which supervisord has nothing more to send. */
    const restart = async (): Promise<void> => {
      const before = Math.max(-1, ...pools.flatMap(serials));
      supervisord.ctl("restart", "many:p00");
      const isLast = (pool: string): boolean => {
        const last = spoolLines(spool).findLast((line) => line.pool === pool);
        const { serial = -1, event, payload = "" } = last ?? {};
        return serial > before && event === "PROCESS_STATE_RUNNING" && payload.includes(":p00 ");
      };
      await expect.poll(() => pools.every(isLast)).toBe(true);
    };
    const isUp = (): number => supervisord.ctl("status").match(/ RUNNING /g)?.length ?? 0;
    await expect.poll(isUp).toBe(14);
    await restart();
    await reader.tick(Date.now() / 1000);
    await reader.tick(Date.now() / 1000 + 100);
    const read = Math.max(...pools.flatMap(serials));

    supervisord.ctl("reload");
    await expect.poll(() => supervisord.log().split("supervisord started").length).toBe(3);
    await expect.poll(isUp).toBe(14);
    await restart();
    const { reasons } = await reader.tick(Date.now() / 1000 + 200);
    for (const pool of pools) {
      const anew = discarded(pool, true);
      expect(anew.length).toBeGreaterThan(0);
      // What came after the last line before the reload has a number that nobody knows.
      const start = Math.min(...anew);
      const last = Math.max(...serials(pool).filter((serial) => serial < start));
      const before = discarded(pool, false).filter((serial) => serial > read && serial < last);
      const lost = anew.length + before.length;
      expect(reasons).toContainEqual(
        expect.stringContaining(`: ${lost} events of the listener ${pool} of "test-daq:`),
      );
    }
  });
});

interface Run {
  readonly finished_at: string | null;
  readonly errors: number;
}

async function runs(site: Site): Promise<readonly Run[]> {
  const { stdout } = await site.command(["run", "list", "--json"]);
  return stdout === "" ? [] : JSON.parse(stdout).runs;
}

/** For the Python of a supervisord: a "minute" of two seconds. */
const SHORT_MINUTE = "import supervisor.events\nsupervisor.events.Tick60Event.period = 2\n";

real("a container whose only service is supervisord", () => {
  test("ticks run without cron, one after the other", async () => {
    const site = await makeSite({ database: "embedded", mail: "none" });
    writeFileSync(join(site.folder, "sitecustomize.py"), SHORT_MINUTE);
    const runOn = ` --run-on TICK_60 --config ${site.config}`;
    const supervisord = await startSupervisord((folder) => exampleFor(folder, 1, runOn), {
      PYTHONPATH: site.folder,
    });
    onTestFinished(() => supervisord.stop());
    await expect
      .poll(async () => (await runs(site)).filter((run) => run.finished_at !== null).length, {
        interval: 500,
      })
      .toBeGreaterThan(1);
    expect(readFileSync(join(supervisord.folder, "listen.log"), "utf8")).toBe("");
    expect(supervisord.ctl("status")).toMatch(/swf-alarms_00 +RUNNING/);
    await supervisord.stop();
    // A tick that it started goes on, in the folder of the site.
    await expect
      .poll(() => commandLines().filter((line) => line.includes(site.config)))
      .toEqual([]);
  });
});

test("the example subscribes to what a listener keeps unless it is told otherwise", () => {
  expect(/^events=(.*)$/m.exec(EXAMPLE)?.[1]?.split(",")).toEqual(DEFAULT_EVENTS);
});
