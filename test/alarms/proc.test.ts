import { describe, expect, test } from "vitest";
import { busyPercent, parseCpuTimes, parseKib, parseProcess } from "../../alarms/lib/proc.ts";
import { memoryOf } from "../../alarms/lib/process_memory.ts";

describe("CPU times", () => {
  type Row = readonly [sentence: string, stat: string, expected: object | null];
  const rows: readonly Row[] = [
    [
      "of an old kernel have four fields",
      "cpu  10 2 3 85\ncpu0 10 2 3 85\n",
      { busy: 15, total: 100 },
    ],
    [
      "waiting for a disk is idle, interrupts and stolen time are busy",
      "cpu  10 2 3 80 5 1 1 8 0 0\n",
      { busy: 25, total: 110 },
    ],
    [
      "guests are part of the user's time",
      "cpu  50 0 0 50 0 0 0 0 40 0\n",
      { busy: 50, total: 100 },
    ],
    ["of one CPU alone are none", "cpu0 10 2 3 85\n", null],
    ["must be numbers", "cpu  10 x 3 85\n", null],
    ["must be complete", "cpu  10 2 3\n", null],
    ["are not in an empty text", "", null],
  ];
  test.each(rows)("%s", (_, stat, expected) => {
    expect(parseCpuTimes(stat)).toEqual(expected);
  });

  const looks: readonly [sentence: string, before: number[], now: number[], number | null][] = [
    ["half of the time between two looks", [100, 1000], [150, 1100], 50],
    ["nothing but work", [100, 1000], [200, 1100], 100],
    ["no work at all", [100, 1000], [100, 1100], 0],
    ["an idle count that steps back", [100, 1000], [202, 1100], 100],
    ["a busy count that steps back", [100, 1000], [99, 1100], 0],
    ["two looks at the same moment", [100, 1000], [100, 1000], null],
  ];
  test.each(looks)("%s", (_, [b0 = 0, t0 = 0], [b1 = 0, t1 = 0], expected) => {
    expect(busyPercent({ busy: b0, total: t0 }, { busy: b1, total: t1 })).toBe(expected);
  });
});

test("a field of meminfo is read by its whole name", () => {
  const text =
    "MemTotal:       100 kB\nSwapCached:       1 kB\nMemAvailable:    70 kB\nHugePages_Total:  3\n";
  const names = ["MemTotal", "MemAvailable", "Cached", "HugePages_Total", "SwapFree"];
  expect(names.map((name) => parseKib(name, text))).toEqual([100, 70, null, null, null]);
});

function statusText(pid: number, parent: number, rss: number | null, name = "python3"): string {
  const memory = rss === null ? "" : `VmRSS:\t    ${rss} kB\n`;
  return `Name:\t${name}\nPid:\t${pid}\nPPid:\t${parent}\n${memory}Threads:\t1\n`;
}

describe("a process", () => {
  const rows: readonly [sentence: string, name: string, cmdline: string, names: string[]][] = [
    ["has the name of its program", "readout", "/opt/daq/readout\0-v\0", ["readout", "readout"]],
    [
      "has the name of the script that it runs",
      "python3",
      "/usr/bin/python3\0-u\0/opt/daq/readout.py\0--run\0",
      ["python3", "python3", "readout.py"],
    ],
    [
      "has the whole name where the kernel cut it",
      "a_long_program_",
      "./a_long_program_name\0",
      ["a_long_program_", "a_long_program_name"],
    ],
    ["of the kernel has no command line", "kworker/0:1", "", ["kworker/0:1"]],
  ];
  test.each(rows)("%s", (_, name, cmdline, names) => {
    expect(parseProcess(statusText(7, 1, 2048, name), cmdline)).toEqual({
      pid: 7,
      parent: 1,
      names,
      rss: 2048,
    });
  });

  test("that has ended has no memory", () => {
    expect(parseProcess(statusText(7, 1, null), "")?.rss).toBe(0);
  });

  test("that ended between two reads is none", () => {
    expect(parseProcess("", "")).toBeNull();
  });
});

describe("the memory of processes", () => {
  const all = [
    { pid: 1, parent: 0, names: ["init"], rss: 1 },
    { pid: 10, parent: 1, names: ["daq"], rss: 100 },
    { pid: 11, parent: 10, names: ["worker"], rss: 20 },
    { pid: 12, parent: 11, names: ["helper"], rss: 3 },
    { pid: 20, parent: 1, names: ["daq"], rss: 110 },
  ];
  const daq = all.filter(({ names }) => names.includes("daq"));

  test("is that of each alone, the largest first", () => {
    expect(memoryOf(daq, all, false)).toEqual([
      { pid: 20, rss: 110, processes: 1 },
      { pid: 10, rss: 100, processes: 1 },
    ]);
  });

  test("with all that it started counts one that another started once", () => {
    const tree = all.filter(({ names }) => names.includes("daq") || names.includes("worker"));
    expect(memoryOf(tree, all, true).map(({ pid }) => pid)).toEqual([10, 20]);
    expect(memoryOf(tree, all, false).map(({ pid }) => pid)).toEqual([20, 10, 11]);
  });

  test("or with all that it started", () => {
    expect(memoryOf(daq, all, true)).toEqual([
      { pid: 10, rss: 123, processes: 3 },
      { pid: 20, rss: 110, processes: 1 },
    ]);
  });
});
