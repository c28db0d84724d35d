import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { byResource, highestReached, type Limit } from "../../alarms/host_resources.ts";
import { inTime } from "../../alarms/lib/host_readings.ts";
import { testAlarm } from "../../src/testing.ts";
import type { JsonObject, JsonValue } from "../../src/text/json.ts";
import { loadAlarm, runAlarm } from "./run_alarm.ts";

const ALARM = "host_resources";
const NOW = 1_764_000_000;

async function run(limits: readonly JsonObject[], previous?: JsonValue) {
  return await runAlarm({
    alarm: ALARM,
    params: { limits: [...limits] },
    sources: {},
    now: NOW,
    ...(previous !== undefined && { previous }),
  });
}

test("it needs no source, and is not configured until it has limits", async () => {
  const { params, sources } = await loadAlarm(ALARM);
  expect([sources, params.limits?.required]).toEqual([[], true]);
});

function limit(what: string, above: number, of?: string): Limit {
  return { what, above, of, severity: undefined };
}

describe("several limits of one resource", () => {
  const limits = [limit("disk", 80, "/a"), limit("cpu", 90), limit("disk", 95, "/a")];

  test("are one entity, and other resources are others", () => {
    expect([...byResource(limits)].map(([key, own]) => [key, own.length])).toEqual([
      ["/a:disk", 2],
      ["cpu", 1],
    ]);
  });

  test.each([
    ["below both none is reached", 80, undefined],
    ["between them the lower one is", 80.1, 80],
    ["above both the higher one is", 99, 95],
  ])("%s", (_, value, expected) => {
    const own = byResource(limits).get("/a:disk") ?? [];
    expect(highestReached(own, value)?.above).toBe(expected);
  });
});

describe("rows that are wrong", () => {
  test.each([
    ["a disk needs a path", { what: "disk", above: 1 }, "limits[0].of: disk needs a path"],
    [
      "a process needs a name",
      { what: "process", above: 1, of: "" },
      "limits[0].of: process needs the name of a process",
    ],
    [
      "memory is that of the host",
      { what: "memory", above: 1, of: "readout" },
      "limits[0].of: memory is one for the whole host; leave it out",
    ],
  ])("%s", async (_, row, fault) => {
    const outcome = await run([row]);
    expect(outcome).toMatchObject({ status: "failed", detections: [] });
    expect(outcome.reasons[0]).toContain(fault);
  });
});

const HOST = hostname();
const folder = mkdtempSync(join(tmpdir(), "swf-alarms-host-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("every host", () => {
  test("has disks, which are reported above their limits", async () => {
    const outcome = await run([
      { what: "disk", of: folder, above: 0 },
      { what: "disk", of: "/", above: 0, severity: "critical" },
      { what: "disk", of: folder, above: 0.0001, severity: "warning" },
    ]);
    expect(outcome.status).toBe("complete");
    expect(outcome.detections).toMatchObject([
      { dedupeKey: `${folder}:disk`, data: { host: HOST, limit: 0.0001 } },
      { dedupeKey: "/:disk" },
    ]);
    expect(outcome.levels.get("/:disk")).toEqual({ severity: "critical" });
    const [first] = outcome.detections;
    expect(first?.subject).toMatch(
      /: disk \/\S+ \d+\.\d+% full, [\d.]+ [GM]iB free, above 0\.0001%$/,
    );
    expect(String(first?.data.metric)).toMatch(/^\d+\.\d+%$/);
  });

  test("is quiet below its limits", async () => {
    const outcome = await run([
      { what: "disk", of: "/", above: 100 },
      { what: "load", above: 1e9 },
    ]);
    expect(outcome).toMatchObject({ status: "complete", detections: [], notes: [] });
  });

  test("a path that is not there keeps its event as it is, and no other one", async () => {
    const gone = join(folder, "gone");
    const outcome = await run([
      { what: "disk", of: gone, above: 0 },
      { what: "disk", of: "/", above: 0 },
    ]);
    expect(outcome.detections.map(({ dedupeKey }) => dedupeKey)).toEqual(["/:disk"]);
    expect([...outcome.scopes]).toEqual([
      [
        `${gone}:disk`,
        {
          reason: expect.stringContaining(`could not read disk ${gone}: ENOENT`),
          isReported: false,
        },
      ],
    ]);
  });
});

test("inodes are those of the path's file system, if that has a fixed number", async () => {
  const { files } = statfsSync(folder);
  const { detections, scopes } = await run([{ what: "inodes", of: folder, above: 0 }]);
  const key = `${folder}:inodes`;
  if (files === 0) expect([...scopes.keys()]).toEqual([key]);
  else
    expect(detections).toMatchObject([
      { dedupeKey: key, subject: expect.stringMatching(`% of the inodes of ${folder} used, `) },
    ]);
});

test("a file system that does not answer is given up", async () => {
  const never = new Promise(() => {});
  await expect(inTime(never, 0.01, "the file system of /net")).rejects.toThrow(
    "the file system of /net did not answer within 0.01 s",
  );
  expect(await inTime(Promise.resolve(1), 60, "it")).toBe(1);
});

describe.skipIf(process.platform !== "linux")("a Linux host", () => {
  const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

  test("has memory, which is reported above its limit", async () => {
    const outcome = await run([
      { what: "memory", above: 0 },
      { what: "swap", above: 100 },
      { what: "memory", above: 101 },
    ]);
    expect(outcome).toMatchObject({ status: "complete", notes: [] });
    expect(outcome.detections.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/: memory [\d.]+% used, [\d.]+ .iB of [\d.]+ .iB available, above 0%$/),
    ]);
  });

  test("tells the use of its CPUs between two ticks", async () => {
    const first = await run([{ what: "cpu", above: 0 }]);
    expect(first).toMatchObject({ status: "complete", detections: [], notes: [] });
    const memory: JsonObject = JSON.parse(first.memory ?? "");
    expect(memory).toMatchObject({ boot: bootId(), busy: expect.any(Number) });
    // As if the tick before had been at the start of the host.
    const second = await run([{ what: "cpu", above: 0 }], { ...memory, busy: 0, total: 0 });
    expect(second.detections).toMatchObject([{ dedupeKey: "cpu" }]);
    expect(second.detections[0]?.subject).toMatch(
      /: CPU [\d.]+% busy in the last \d+ min, above 0%$/,
    );
  });

  test("tells it after a restart, although its counters are smaller than before", async () => {
    const before = { boot: "another", busy: 1e15, total: 1e15 };
    expect((await run([{ what: "cpu", above: 0 }], before)).detections).toHaveLength(1);
  });

  test.each([
    ["another version's", { cpu: 1 }],
    ["a text", "x"],
    ["a wrong type", { boot: 1, busy: "x", total: null }],
  ])("a memory that is %s is as good as one of another start", async (_, previous) => {
    expect(await run([{ what: "cpu", above: 100 }], previous)).toMatchObject({
      status: "complete",
      detections: [],
    });
  });

  test("reports a process by the name of its script, alone and with those that it started", async () => {
    const script = join(folder, "daq_readout.mjs");
    // A child that holds 200 MiB, of a process that is small.
    writeFileSync(
      script,
      `import { spawn } from "node:child_process";
       const hold = "const held = Buffer.alloc(200 * 2 ** 20, 1); console.log('ready'); process.stdin.resume()";
       const child = spawn(process.execPath, ["-e", hold], { stdio: ["pipe", "inherit", "inherit"] });
       process.stdin.on("end", () => process.exit()).resume();`,
    );
    const readout = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
    onTestFinished(() => void readout.kill());
    await once(readout.stdout, "data");
    const { detections, status } = await run([
      { what: "process", of: "daq_readout.mjs", above: 1 },
      { what: "process_tree", of: "daq_readout.mjs", above: 200 },
      { what: "process", of: "daq_readout.mjs", above: 100_000, severity: "critical" },
    ]);
    expect(status).toBe("complete");
    expect(detections.map(({ subject }) => subject.replace(`${HOST}: `, ""))).toEqual([
      expect.stringMatching(
        new RegExp(`^process daq_readout.mjs \\(pid ${readout.pid}\\) uses \\d+ MiB, above 1 MiB$`),
      ),
      expect.stringMatching(
        new RegExp(
          `^process daq_readout.mjs \\(pid ${readout.pid} and 1 below it\\) uses [2-9]\\d\\d MiB, above 200 MiB$`,
        ),
      ),
    ]);
  });

  test("a process that does not run has no memory, and a note says so", async () => {
    const outcome = await run([{ what: "process", of: "no_such_program", above: 0 }]);
    expect(outcome).toMatchObject({
      status: "complete",
      detections: [],
      notes: ["no process no_such_program is running"],
    });
  });

  const MODULE = new URL("../../alarms/host_resources.ts", import.meta.url);
  const program = async (above: number, response: JsonValue) =>
    await testAlarm(MODULE, {
      params: { supervisor: "daq", limits: [{ what: "program", of: "daq:readout", above }] },
      responses: { daq: { "supervisor.getProcessInfo()": response } },
    });

  test("reports a supervised program by its own name", async () => {
    const outcome = await program(1, { pid: process.pid });
    expect(outcome).toMatchObject({ status: "complete", scopes: [] });
    expect(outcome.requests).toMatchObject([{ body: ["daq:readout"] }]);
    expect(outcome.detections).toMatchObject([{ dedupeKey: "daq:readout:program" }]);
    expect(outcome.detections[0]?.subject).toMatch(
      new RegExp(`: program daq:readout \\(pid ${process.pid}\\D.*\\) uses \\d+ MiB, above 1 MiB$`),
    );
  });

  test("a program that does not run has no memory, and a note says so", async () => {
    const outcome = await program(1, { pid: 0 });
    expect(outcome).toMatchObject({
      status: "complete",
      detections: [],
      scopes: [],
      notes: ["program daq:readout is not running"],
    });
  });

  const unknown: readonly [sentence: string, response: JsonValue, reason: string][] = [
    ["supervisord does not know", { faultCode: 10, faultString: "BAD_NAME" }, "BAD_NAME"],
    ["runs elsewhere", { pid: 2 ** 31 - 1 }, "but this host has none"],
    ["has no pid", ["?"], "supervisord's answer has no pid"],
  ];
  test.each(unknown)(
    "the event of a program that %s stays as it is",
    async (_, response, reason) => {
      const outcome = await program(1, response);
      expect(outcome).toMatchObject({
        status: "complete",
        detections: [],
        scopes: [{ prefix: "daq:readout:program", reason: expect.stringContaining(reason) }],
      });
    },
  );

  test("programs need a source that knows them", async () => {
    const outcome = await run([{ what: "program", of: "x", above: 1 }]);
    expect(outcome.reasons[0]).toContain("supervisor: the limit of a program needs the name of a");
  });
});
