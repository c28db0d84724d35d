import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { AlarmClient } from "../../../../src/source/client/client.ts";
import { MAX_LINE } from "../../../../src/spool/limits.ts";
import { append, emptyFolder, line, SpoolReader } from "../../../support/spool.ts";

const NOW = 10_000;

function spool() {
  const folder = emptyFolder();
  return { folder, reader: new SpoolReader(folder) };
}

const WHOLE = { status: "complete", reasons: [], notes: [] };

describe("events", () => {
  test("come once, as they were written, and new ones in the next tick", async () => {
    const { folder, reader } = spool();
    const written = line(0, NOW, { payload: "café µ\n\u0000" });
    append(folder, "a.jsonl", [written, line(1, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({
      ...WHOLE,
      events: [written, line(1, NOW)],
      counts: { requests: 1, succeeded: 1 },
    });
    expect((await reader.tick(NOW)).serials).toEqual([]);
    append(folder, "a.jsonl", [line(2, NOW)]);
    append(folder, "b.jsonl", [line(3, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [2, 3] });
  });

  test("of several files come in the order of their time, then of their serial", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(1, 9990), line(4, 9995), line(5, NOW)]);
    append(folder, "b.jsonl", [line(0, 9990), line(2, 9991), line(3, 9995)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0, 1, 2, 3, 4, 5] });
  });

  test("that a feeder wrote twice count once, in one file, in two, and in two ticks", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(0, NOW), line(1, NOW)]);
    append(folder, "b.jsonl", [line(1, NOW)]);
    expect((await reader.tick(NOW)).serials).toEqual([0, 1]);
    append(folder, "b.jsonl", [line(1, NOW, { pool: "other", poolserial: 0 }), line(2, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [2] });
  });

  test("of two runs of a supervisor are different ones, though their serials are the same", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW)]);
    append(folder, "b.jsonl", [line(0, NOW, { origin: "supervisor:2" })]);
    expect((await reader.tick(NOW)).serials).toEqual([0, 0]);
  });

  test("that the feeder was not to keep are no events, and are not missed", async () => {
    const { folder, reader } = spool();
    const skipped = { payload: "", skipped: true };
    append(folder, "a.jsonl", [line(0, 9000), line(1, 9000, skipped), line(2, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0, 2] });
  });

  test("that one listener was not to keep come from another one that was", async () => {
    const { folder, reader } = spool();
    const skipped = { payload: "", skipped: true };
    const other = { pool: "other", poolserial: 0 };
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW, skipped)]);
    append(folder, "b.jsonl", [line(1, NOW, other)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0, 1] });
  });

  test("of a long spool come in pages", async () => {
    const { folder, reader } = spool();
    const payload = "x".repeat(3_000);
    const all = Array.from({ length: 1_000 }, (_, n) => line(n, NOW, { payload }));
    append(folder, "a.jsonl", all.slice(0, 500));
    append(folder, "b.jsonl", all.slice(500));
    expect((await reader.tick(NOW)).serials).toEqual(all.map(({ serial }) => serial));
  });
});

describe("the position", () => {
  test("stays before the event that the module threw at", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW), line(2, NOW)]);
    const failed = await reader.tick(NOW, ({ serial }) => {
      if (serial === 1) throw new Error("no");
      return true;
    });
    expect(failed).toMatchObject({ status: "failed", serials: [0, 1] });
    expect((await reader.tick(NOW)).serials).toEqual([0, 1, 2]);
  });

  test("is past the events after which the module asked for more, if it leaves early", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW), line(2, NOW)]);
    expect((await reader.tick(NOW, ({ serial }) => serial < 1)).serials).toEqual([0, 1]);
    expect((await reader.tick(NOW)).serials).toEqual([1, 2]);
  });

  test("is shared by what reads in one run", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW)]);
    expect((await reader.tick(NOW, ({ serial }) => serial < 1, 2)).serials).toEqual([0, 1, 1]);
  });

  test("is no news where nothing was written", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW)]);
    await reader.tick(NOW);
    const stored = reader.position;
    await reader.tick(NOW);
    expect(reader.position).toBe(stored);
  });

  test.each(["", "{", '{"files":[]}', '{"files":[["a.jsonl",-1]],"origins":[]}', "null"])(
    "that is %j begins anew, with a note",
    async (text) => {
      const { folder } = spool();
      append(folder, "a.jsonl", [line(0, NOW)]);
      expect(await new SpoolReader(folder, { events: text }).tick(NOW)).toMatchObject({
        status: "complete",
        serials: [0],
        notes: [expect.stringContaining("the stored position in the spool is not readable")],
      });
    },
  );

  test("of a source with another name is not used, and a note says so once", async () => {
    const { folder } = spool();
    append(folder, "a.jsonl", [line(0, NOW)]);
    const reader = new SpoolReader(folder, { old_name: "{}" });
    expect(await reader.tick(NOW)).toMatchObject({
      serials: [0],
      notes: [
        "the source events: it is read from its beginning, since this alarm has only read old_name so far",
      ],
    });
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [] });
  });
});

describe("a folder that someone changed", () => {
  test("by emptying it has a note, and goes on", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW)]);
    await reader.tick(NOW);
    rmSync(join(folder, "a.jsonl"));
    expect(await reader.tick(NOW)).toMatchObject({
      status: "partial",
      reasons: [
        expect.stringMatching(/^GET check from events: .* has no line of a feeder; start one/),
      ],
      notes: ["the source events: none of the 1 files that were read before is there any more"],
    });
    append(folder, "b.jsonl", [line(1, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [1] });
  });

  test("by a copy under another name repeats nothing", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW)]);
    await reader.tick(NOW);
    renameSync(join(folder, "a.jsonl"), join(folder, "restored.jsonl"));
    append(folder, "restored.jsonl", [line(2, NOW)]);
    expect((await reader.tick(NOW)).serials).toEqual([2]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [] });
  });

  test.each([
    ["shorter", [line(2, NOW)]],
    ["another one", [`${"x".repeat(1_000)}\n`, line(1, NOW), line(2, NOW)]],
  ])("to a file that is %s is read from its beginning, once", async (_, content) => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), line(1, NOW)]);
    await reader.tick(NOW);
    truncateSync(join(folder, "a.jsonl"));
    append(folder, "a.jsonl", content);
    const { serials, notes } = await reader.tick(NOW);
    expect(serials).toEqual([2]);
    expect(notes[0]).toContain("a.jsonl is another file than before");
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [] });
  });
});

describe("lines that are broken", () => {
  test("are skipped, and said once", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), '{"origin":"supervi\n', "\0\0\0\n", line(1, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({
      status: "complete",
      serials: [0, 1],
      notes: [
        "the source events: 2 broken lines are skipped, such as a crash or a full disk leaves, in a.jsonl",
      ],
    });
    append(folder, "a.jsonl", ["\xff\xfe\n"]);
    expect(await reader.tick(NOW)).toMatchObject({
      serials: [],
      notes: [expect.stringContaining("a broken line is skipped")],
    });
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [] });
  });

  test("at the end wait for the rest, and may wait for ever", async () => {
    const { folder, reader } = spool();
    const [half, rest] = [
      '{"origin":"supervisor:1","serial":1,"pool":"swf",',
      '"poolserial":1,"event":"é","at":10000,"payload":""}\n',
    ];
    append(folder, "a.jsonl", [line(0, NOW), half]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0] });
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [] });
    append(folder, "a.jsonl", [rest]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [1] });
  });

  test("may be longer than any line", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), `${"x".repeat(2 * MAX_LINE + 5)}\n`, line(1, NOW)]);
    const { serials, notes, status } = await reader.tick(NOW);
    expect(serials).toEqual([0, 1]);
    expect([status, ...notes]).toEqual(["complete", expect.stringContaining("skipped")]);
  });

  test("do not hide the sign of life before them", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW), `${"x".repeat(20_000)}\n`, "half"]);
    expect((await reader.tick(NOW)).status).toBe("complete");
  });
});

test("other files are left alone", async () => {
  const { folder, reader } = spool();
  append(folder, "a.jsonl", [line(0, NOW)]);
  for (const name of [".a.jsonl", "README", "b.jsonl.tmp"]) append(folder, name, [line(1, NOW)]);
  mkdirSync(join(folder, "c.jsonl"));
  symlinkSync("README", join(folder, "d.jsonl"));
  expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0] });
});

describe("what may be missing", () => {
  test("a silent service is a failed request, and what is there counts", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW - 181)]);
    append(folder, "b.jsonl", [line(0, NOW, { origin: "b:1" })]);
    const { serials, status, reasons, counts } = await reader.tick(NOW);
    expect(serials).toEqual([0, 0]);
    expect(status).toBe("partial");
    expect(reasons).toEqual([
      expect.stringMatching(
        /^GET check from events: no line from the listener swf of supervisor \(for 181 s\)/,
      ),
    ]);
    expect(counts).toMatchObject({ requests: 1, succeeded: 0 });
    expect(counts.lastError).toMatch(/^no line from the listener swf of supervisor/);
    append(folder, "c.jsonl", [line(1, NOW)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [1] });
  });

  test("lost events make the outcome of one tick incomplete", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(4, NOW - 100), line(7, NOW - 61), line(9, NOW)]);
    const first = await reader.tick(NOW);
    expect(first).toMatchObject({
      status: "partial",
      reasons: ['the source events: 2 events of the listener swf of "supervisor:1" are lost'],
    });
    const second = await reader.tick(NOW + 61);
    expect(second.reasons).toEqual([
      'the source events: 1 event of the listener swf of "supervisor:1" is lost',
    ]);
    expect(await reader.tick(NOW + 120)).toMatchObject(WHOLE);
    // One that comes after all counts.
    append(folder, "a.jsonl", [line(8, NOW)]);
    expect(await reader.tick(NOW + 120)).toMatchObject({ ...WHOLE, serials: [8] });
  });

  test("events that a full buffer lost after a reload are lost, with two listeners too", async () => {
    const { folder, reader } = spool();
    const other = { pool: "other" };
    append(folder, "a.jsonl", [line(0, 9000), line(1, 9001), line(2, 9002)]);
    append(folder, "b.jsonl", [line(0, 9000, other), line(1, 9001, other), line(2, 9002, other)]);
    expect(await reader.tick(9002)).toMatchObject({ ...WHOLE, serials: [0, 1, 2] });
    append(folder, "c.jsonl", [line(12, NOW, { poolserial: 2 })]);
    append(folder, "d.jsonl", [line(12, NOW, { ...other, poolserial: 1 })]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [12] });
    append(folder, "c.jsonl", [line(13, NOW + 61, { poolserial: 3 })]);
    expect((await reader.tick(NOW + 61)).reasons).toEqual([
      'the source events: 2 events of the listener swf of "supervisor:1" are lost',
      'the source events: 1 event of the listener other of "supervisor:1" is lost',
    ]);
  });

  test("a clock of a listener that is ahead delays nothing that is lost", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW + 500), line(2, NOW + 501)]);
    expect(await reader.tick(NOW)).toMatchObject({ ...WHOLE, serials: [0, 2] });
    expect((await reader.tick(NOW + 61)).reasons).toEqual([
      'the source events: 1 event of the listener swf of "supervisor:1" is lost',
    ]);
  });

  test("events of a new run that were deleted before they were read are lost", async () => {
    const { folder, reader } = spool();
    append(folder, "a.jsonl", [line(0, NOW)]);
    await reader.tick(NOW);
    append(folder, "b.jsonl", [line(12, NOW - 61, { origin: "supervisor:2" }), line(1, NOW)]);
    expect((await reader.tick(NOW)).reasons).toEqual([
      'the source events: 12 events of the listener swf of "supervisor:2" are lost',
    ]);
  });

  test("a folder that is not there fails the request", async () => {
    const { folder, reader } = spool();
    rmSync(folder, { recursive: true });
    const { status, reasons, counts } = await reader.tick(NOW);
    expect(status).toBe("failed");
    expect(reasons).toEqual([
      `GET files from events: there is no folder ${folder}; make it, and start what writes to it, such as swf-alarms listen --spool ${folder}`,
    ]);
    expect(counts).toMatchObject({ requests: 1, succeeded: 0 });
  });
});

test.each<[string, (client: AlarmClient) => unknown, string]>([
  [
    "pages of a path",
    (client) => client.source("events").pages("/x").next(),
    'pages of the spool events takes no path; write client.source("events").pages()',
  ],
  [
    "get",
    (client) => client.source("events").get("/x"),
    'get is not for the source "events", whose kind is "spool"; use pages',
  ],
])("a spool has no %s", async (_, call, message) => {
  const { folder, reader } = spool();
  append(folder, "a.jsonl", [line(0, NOW)]);
  const { status, reasons } = await reader.run(NOW, call);
  expect([status, ...reasons]).toEqual(["failed", expect.stringContaining(message)]);
});
