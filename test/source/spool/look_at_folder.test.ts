import { chmodSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lookAtFolder } from "../../../src/source/spool/look_at_folder.ts";
import { append, emptyFolder, line } from "../../support/spool.ts";

const OTHER_USER = 65_534;

/** As a user who is not root, and may be the owner. */
async function asAnother<T>(work: () => Promise<T>): Promise<T> {
  const { geteuid, seteuid } = process;
  const own = geteuid?.();
  if (own !== 0) return await work();
  seteuid?.(OTHER_USER);
  try {
    return await work();
  } finally {
    seteuid?.(own);
  }
}

describe("a spool of another user", () => {
  test("whose folder cannot be read is a fault that says what to do", async () => {
    const folder = emptyFolder();
    chmodSync(folder, 0o300);
    await expect(asAnother(() => lookAtFolder(folder))).rejects.toThrow(
      /^cannot read \S+, which belongs to user \d+ and group \d+ and has mode 0300; add the user \d+, who runs the engine, to that group, and let the group read it \(folder 2750, files 0640\)$/,
    );
  });

  test("of which one file cannot be read has the others", async () => {
    const folder = emptyFolder();
    chmodSync(folder, 0o755);
    append(folder, "a.jsonl", [line(0, 500)]);
    append(folder, "b.jsonl", [line(1, 600)]);
    chmodSync(join(folder, "b.jsonl"), 0o000);
    const { files, lastLines, faults } = await asAnother(() => lookAtFolder(folder));
    expect([...files.keys()]).toEqual(["a.jsonl"]);
    expect(lastLines).toEqual([{ identifier: "supervisor", pool: "swf", at: 500 }]);
    expect(faults).toEqual([expect.stringMatching(/^cannot read \S+b\.jsonl, .* mode 0000; add/)]);
  });

  test("of which many files cannot be read names one", async () => {
    const folder = emptyFolder();
    chmodSync(folder, 0o755);
    for (const name of ["a.jsonl", "b.jsonl", "c.jsonl"]) {
      append(folder, name, [line(0, 500)]);
      chmodSync(join(folder, name), 0o000);
    }
    const { files, faults } = await asAnother(() => lookAtFolder(folder));
    expect(files.size).toBe(0);
    expect(faults).toEqual([
      expect.stringMatching(/^3 files cannot be read; one of them: cannot read \S+\.jsonl, which/),
    ]);
  });
});

test("a path that is a file is no folder", async () => {
  const path = join(emptyFolder(), "file");
  writeFileSync(path, "");
  await expect(lookAtFolder(path)).rejects.toThrow(/^cannot read \S+: ENOTDIR/);
});

test("each file has its last whole line, and the service of it", async () => {
  const folder = emptyFolder();
  append(folder, "a.jsonl", [line(0, 500), "half a li"]);
  append(folder, "b.jsonl", [line(0, 400, { origin: "supervisor:2" })]);
  append(folder, "c.jsonl", [line(0, 300, { origin: "host:9001:7" }), `${"x".repeat(50_000)}\n`]);
  append(folder, "d.jsonl", ["half a li"]);
  const { files, lastLines } = await lookAtFolder(folder);
  expect(files.size).toBe(4);
  expect(lastLines.toSorted((a, b) => b.at - a.at)).toEqual([
    { identifier: "supervisor", pool: "swf", at: 500 },
    { identifier: "supervisor", pool: "swf", at: 400 },
    { identifier: "host:9001", pool: "swf", at: 300 },
  ]);
});

test("of too many files the newest are read", async () => {
  const folder = emptyFolder();
  for (let n = 0; n < 1_001; n++) writeFileSync(join(folder, `${n}.jsonl`), "");
  utimesSync(join(folder, "500.jsonl"), 1, 1);
  const { files, faults } = await lookAtFolder(folder);
  expect(files.size).toBe(1_000);
  expect(files.has("500.jsonl")).toBe(false);
  expect(faults).toEqual([
    `${folder} has 1001 files, and only the newest 1000 are read; see why the feeder starts so often, and delete old files`,
  ]);
});
