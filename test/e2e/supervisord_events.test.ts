import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { recordedEvents, type Sent } from "../alarms/supervisord_events_ticks.ts";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";
import { spoolLines } from "../support/spool.ts";
import { hasSupervisord, startSupervisord } from "../support/supervisord.ts";

const SHIPPED = fileURLToPath(new URL("../../alarms", import.meta.url));
const ENTRY = fileURLToPath(new URL("../../dist/program/swf-alarms.js", import.meta.url));
const NAME = "supervisord_events";
const SLOW = 180_000;

/** A site whose alarm reads the spool of a folder. */
async function eventSite(): Promise<{ site: Site; spool: string }> {
  const site = await makeSite();
  const spool = join(site.folder, "spool");
  mkdirSync(spool);
  const more = `[sources.supervisord_events]\nkind = "spool"\npath = ${JSON.stringify(spool)}`;
  site.configure({ alarmsDir: SHIPPED, more });
  await insertAlarm(site, NAME);
  return { site, spool };
}

const AGAIN = expect.stringMatching(/^RUNNING again after \d+ s$/);

/** The key, severity and clear reason of each event, by key. */
async function eventsOf(site: Site): Promise<readonly unknown[]> {
  const rows = (await site.entries("event")).map(({ data }) => data);
  return rows
    .map((data) => [data.dedupe_key, data.severity, data.clear_reason ?? null])
    .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}

/** The events as bytes, numbered from 0 as recorded; `len` counts characters. */
function bytesOf(events: readonly Sent[], from: number): Buffer {
  const texts = events.map(({ event, payload }, index) => {
    const serial = from + index;
    return `ver:3.0 server:epic-daq serial:${serial} pool:all poolserial:${serial} eventname:${event} len:${[...payload].length}\n${payload}`;
  });
  return Buffer.from(texts.join(""));
}

/** A listener whose supervisord is this test. */
function startListener(spool: string) {
  const child = spawn(
    process.execPath,
    [ENTRY, "listen", "--format", "supervisord", "--spool", spool],
    { stdio: ["pipe", "pipe", "inherit"], env: { PATH: process.env.PATH, HOME: process.env.HOME } },
  );
  onTestFinished(() => void child.kill("SIGKILL"));
  let answers = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    answers += chunk.toString().split("RESULT 2\nOK").length - 1;
  });
  return { child, answers: () => answers };
}

const recorded = recordedEvents();

test.skipIf(recorded === undefined)(
  "the recorded events: from a listener over its spool and ticks to mails",
  { timeout: SLOW },
  async () => {
    const { site, spool } = await eventSite();
    const events = recorded ?? [];
    const { child, answers } = startListener(spool);
    /** What the mails of each tick report. */
    const heard: (readonly string[])[] = [];
    let from = 0;
    // In the middle of a crash, before and after a program was killed, and at the end.
    for (const to of [60, 150, 186, events.length]) {
      child.stdin.write(bytesOf(events.slice(from, to), from));
      from = to;
      await expect.poll(answers).toBe(to);
      const before = site.mail.mails.length;
      expect(await site.tick()).toEqual(QUIET);
      const texts = site.mail.mails.slice(before).map(({ text }) => text);
      heard.push(texts.flatMap((text) => text.match(/(?<=^ {2}\[\d+\] ).*/gm) ?? []));
    }
    child.stdin.end();
    expect(await once(child, "close")).toEqual([0, null]);
    expect(await site.tick()).toEqual(QUIET);
    expect(heard).toEqual([
      [
        "CRITICAL: epic-daq: missing is FATAL: supervisord does not start it again",
        "CRITICAL: epic-daq: fastdie is FATAL: supervisord does not start it again",
        expect.stringMatching(
          /^ERROR: epic-daq: crasher exited unexpectedly 2 times in \d+ s, now/,
        ),
        "WARNING: epic-daq: detectors:comm sent ALERT HIGH_RATE det1: 5",
      ],
      [],
      ["WARNING: epic-daq: readout exited unexpectedly, now EXITED"],
      [],
    ]);
    expect(await eventsOf(site)).toEqual([
      ["epic-daq:crasher:crasher", "error", null],
      ["epic-daq:detectors:comm:ALERT:HIGH_RATE:det1", "warning", null],
      ["epic-daq:fastdie:fastdie", "critical", null],
      ["epic-daq:missing:missing", "critical", null],
      ["epic-daq:readout:readout", "warning", AGAIN],
    ]);
  },
);

describe.skipIf(!hasSupervisord())("a supervisord with two listeners", () => {
  test("shows programs that no poll sees, and when they are well again", {
    timeout: SLOW,
  }, async () => {
    const { site, spool } = await eventSite();
    const supervisord = await startSupervisord(
      (folder) => `
[eventlistener:swf-alarms]
command=${process.execPath} ${ENTRY} listen --format supervisord --spool ${spool}
events=PROCESS_STATE,PROCESS_COMMUNICATION,SUPERVISOR_STATE_CHANGE,PROCESS_GROUP,TICK_60
buffer_size=1000
numprocs=2
process_name=%(program_name)s_%(process_num)02d
[program:once]
command=/bin/sh -c "test -e ${folder}/once && exec sleep 1000; touch ${folder}/once; sleep 1.2; exit 3"
[program:fastdie]
command=/bin/sh -c "test -e ${folder}/mended && exec sleep 1000; exit 7"
startretries=1
[program:speaker]
command=/bin/sh -c "printf '<!--XSUPERVISOR:BEGIN-->ALERT:DAQ:ERROR:café µ 🚀<!--XSUPERVISOR:END-->'; exec sleep 1000"
stdout_capture_maxbytes=1MB
[program:fine]
command=/bin/sh -c "sleep 1.2; exit 0"
`,
    );
    onTestFinished(() => supervisord.stop());
    const { ctl, folder } = supervisord;
    const happened = (event: string, name: string): number =>
      new Set(
        spoolLines(spool)
          .filter((line) => line.event === event && line.payload.includes(`processname:${name} `))
          .map(({ serial }) => serial),
      ).size;
    await expect.poll(() => happened("PROCESS_STATE_FATAL", "fastdie")).toBe(1);
    await expect.poll(() => happened("PROCESS_STATE_RUNNING", "once")).toBe(2);
    await expect.poll(() => happened("PROCESS_COMMUNICATION_STDOUT", "speaker")).toBe(1);
    await expect.poll(() => happened("PROCESS_STATE_EXITED", "fine")).toBe(1);
    ctl("restart", "speaker");
    expect(await site.tick()).toEqual(QUIET);
    writeFileSync(`${folder}/mended`, "");
    ctl("start", "fastdie");
    await expect.poll(() => happened("PROCESS_STATE_RUNNING", "fastdie")).toBe(1);
    expect(await site.tick()).toEqual(QUIET);
    expect(await eventsOf(site)).toEqual([
      ["test-daq:fastdie:fastdie", "critical", AGAIN],
      ["test-daq:once:once", "warning", AGAIN],
      ["test-daq:speaker:speaker:ALERT:DAQ:ERROR", "error", null],
    ]);
  });
});
