import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  type FolderState,
  lookAtFolder,
  openErrorHint,
} from "../../../src/store/embedded/open_error.ts";

const coded = (code: string): Error => Object.assign(new Error("words"), { code });
/** What the driver says whatever the reason. */
const SILENT = new Error("PGlite failed to initialize properly");
const SOUND: FolderState = { freeBytes: 2 ** 40, barrier: undefined };

const FULL = /^Free space on its disk.*the data is as it was$/;
const READ_ONLY = /^Its disk is mounted read-only.*mount it for writing; the data is as it was$/;
const RIGHTS = /^This user may not use it.*run as its owner, or give the folder.*as it was$/;

describe("remedyFor", () => {
  const rows: readonly (readonly [string, unknown, Partial<FolderState>, RegExp | undefined])[] = [
    ["the system says that the disk is full", coded("ENOSPC"), {}, FULL],
    ["the quota is used up", coded("EDQUOT"), {}, FULL],
    ["it is the cause's code", new Error("x", { cause: coded("ENOSPC") }), {}, FULL],
    ["it is only in the words", new Error("ENOSPC: no space left on device, write"), {}, FULL],
    ["the driver says nothing, and no byte is free", SILENT, { freeBytes: 0 }, FULL],
    ["less is free than one file of its log", SILENT, { freeBytes: 16 * 2 ** 20 - 1 }, FULL],
    ["not the owner of the folder", coded("EPERM"), {}, RIGHTS],
    ["no right to read it", coded("EACCES"), {}, RIGHTS],
    [
      "the driver says nothing, a file in it is not ours",
      SILENT,
      { barrier: coded("EACCES") },
      RIGHTS,
    ],
    ["rights on a small disk", SILENT, { freeBytes: 0, barrier: coded("EACCES") }, RIGHTS],
    ["mounted read-only", SILENT, { barrier: coded("EROFS") }, READ_ONLY],
    ["read-only while it was written", coded("EROFS"), {}, READ_ONLY],
    ["neither explains it", SILENT, {}, undefined],
    ["nothing can be seen of it", SILENT, { freeBytes: undefined }, undefined],
    ["a word that only looks like a code", new Error("XENOSPCY"), {}, undefined],
    ["no error at all", "ENOSPC", {}, undefined],
  ];
  test.each(rows)("%s", (_sentence, error, seen, expected) => {
    const remedy = openErrorHint(error, { ...SOUND, ...seen });
    if (expected === undefined) expect(remedy).toBeUndefined();
    else expect(remedy).toMatch(expected);
  });

  test("what is in the way is named", () => {
    const barrier = Object.assign(new Error("access '/x/base/5'"), { code: "EACCES" });
    expect(openErrorHint(SILENT, { ...SOUND, barrier })).toContain("(access '/x/base/5')");
  });
});

describe("lookAtFolder", () => {
  test("a sound folder has room and nothing in the way", () => {
    const path = mkdtempSync(join(tmpdir(), "swf-alarms-look-"));
    expect(lookAtFolder(path)).toEqual({ freeBytes: expect.any(Number), barrier: undefined });
    rmSync(path, { recursive: true });
  });

  test("one that is not there is no reason to throw", () => {
    const path = join(tmpdir(), "swf-alarms-no-such-folder");
    expect(lookAtFolder(path)).toEqual({ freeBytes: undefined, barrier: expect.any(Error) });
  });

  // The superuser may write everywhere.
  test.runIf(process.getuid?.() !== 0)("a file at any depth that is not ours is named", () => {
    const path = mkdtempSync(join(tmpdir(), "swf-alarms-look-"));
    mkdirSync(join(path, "base"));
    writeFileSync(join(path, "base", "theirs"), "", { mode: 0o400 });
    const { barrier } = lookAtFolder(path);
    expect(barrier).toMatchObject({ code: "EACCES" });
    expect(String(barrier)).toContain(join("base", "theirs"));
    rmSync(path, { recursive: true });
  });
});
