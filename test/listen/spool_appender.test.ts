import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { SpoolAppender } from "../../src/listen/spool_appender.ts";
import { MAX_FILE } from "../../src/spool/limits.ts";
import { parseSpoolLine } from "../../src/spool/parse_spool_line.ts";
import type { SpoolLine } from "../../src/spool/spool_line.ts";

const NOW = 1_795_190_331;

function lineAt(at: number, serial = 0): SpoolLine {
  const [origin, pool, event] = ["daq:77-8412", "swf", "TICK_60"];
  return {
    origin,
    serial,
    pool,
    poolserial: serial,
    event,
    at,
    payload: "when:1",
    skipped: undefined,
  };
}

function spool() {
  const folder = join(mkdtempSync(join(tmpdir(), "swf-alarms-spool-")), "spool");
  mkdirSync(folder);
  onTestFinished(() => rmSync(join(folder, ".."), { recursive: true, force: true }));
  return { folder, appender: new SpoolAppender(folder), files: () => readdirSync(folder).sort() };
}

function linesOf(folder: string, file: string): readonly (SpoolLine | undefined)[] {
  return readFileSync(join(folder, file), "utf8").trimEnd().split("\n").map(parseSpoolLine);
}

const FIRST = `daq.swf.20261120T155851Z.${process.pid}.jsonl`;
const SECOND = `daq.swf.20261120T155951Z.${process.pid}.jsonl`;

test("lines are appended to one file, which the group can read and only its owner write", () => {
  const { folder, appender, files } = spool();
  appender.append("daq", lineAt(NOW, 0));
  appender.append("daq", lineAt(NOW + 60, 1));
  expect(files()).toEqual([FIRST]);
  expect(linesOf(folder, FIRST)).toEqual([lineAt(NOW, 0), lineAt(NOW + 60, 1)]);
  expect(statSync(join(folder, FIRST)).mode & 0o777).toBe(0o640 & ~process.umask());
});

test("a file that is large enough is followed by another", () => {
  const { folder, appender, files } = spool();
  appender.append("daq", lineAt(NOW, 0));
  truncateSync(join(folder, FIRST), MAX_FILE - 1);
  appender.append("daq", lineAt(NOW + 30, 1));
  expect(files()).toEqual([FIRST]);
  appender.append("daq", lineAt(NOW + 60, 2));
  expect(files()).toEqual([FIRST, SECOND]);
});

test("a file that was deleted is not made again under its name", () => {
  const { folder, appender, files } = spool();
  appender.append("daq", lineAt(NOW, 0));
  rmSync(join(folder, FIRST));
  appender.append("daq", lineAt(NOW + 60, 1));
  expect(files()).toEqual([SECOND]);
});

test("a folder that is gone fails each line, until it is back", () => {
  const { folder, appender, files } = spool();
  appender.append("daq", lineAt(NOW, 0));
  renameSync(folder, `${folder}-away`);
  for (const serial of [1, 2])
    expect(() => appender.append("daq", lineAt(NOW + serial, serial))).toThrow("ENOENT");
  renameSync(`${folder}-away`, folder);
  appender.append("daq", lineAt(NOW + 60, 3));
  expect(files()).toEqual([FIRST]);
  expect(linesOf(folder, FIRST).map((line) => line?.serial)).toEqual([0, 3]);
});

test("a new file makes room: old files go, and what no feeder wrote stays", () => {
  const { folder, appender, files } = spool();
  for (const [name, days] of [
    ["old.swf.20261101T000000Z.1.jsonl", 8],
    ["new.swf.20261119T000000Z.1.jsonl", 1],
    ["notes.txt", 30],
  ] as const) {
    writeFileSync(join(folder, name), "{}\n");
    utimesSync(join(folder, name), NOW, NOW - days * 86_400);
  }
  mkdirSync(join(folder, "folder.jsonl"));
  appender.append("daq", lineAt(NOW));
  expect(files()).toEqual(
    [FIRST, "folder.jsonl", "new.swf.20261119T000000Z.1.jsonl", "notes.txt"].sort(),
  );
});

test.skipIf(process.getuid?.() === 0)("a folder of another user fails", () => {
  const { folder, appender } = spool();
  chmodSync(folder, 0o500);
  expect(() => appender.append("daq", lineAt(NOW))).toThrow("EACCES");
});
