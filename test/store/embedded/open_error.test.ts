import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openErrorHint } from "../../../src/store/embedded/open_error.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "swf-alarms-hint-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const coded = (code: string): Error => Object.assign(new Error("words"), { code });

const FULL = /^Free space on its disk.*the data is unchanged$/;
const READ_ONLY = /^Its disk is mounted read-only: mount it for writing; the data is unchanged$/;
const RIGHTS = /^This user may not use it: run as its owner, or give the folder.*unchanged$/;

describe("what to do about a database that cannot be opened", () => {
  const rows: readonly (readonly [string, unknown, RegExp | undefined])[] = [
    ["the disk is full", coded("ENOSPC"), FULL],
    ["the quota is used up", coded("EDQUOT"), FULL],
    ["the code is that of its cause", new Error("x", { cause: coded("ENOSPC") }), FULL],
    ["the code is in its message", new Error("ENOSPC: no space left on device, write"), FULL],
    ["not the owner of the folder", coded("EPERM"), RIGHTS],
    ["no right to read it", coded("EACCES"), RIGHTS],
    ["mounted read-only", coded("EROFS"), READ_ONLY],
    ["the driver gives no reason", new Error("PGlite failed to initialize properly"), undefined],
    ["a word that only looks like a code", new Error("XENOSPCY"), undefined],
    ["not an error at all", "ENOSPC", undefined],
  ];
  test.each(rows)("%s", (_sentence, error, expected) => {
    const hint = openErrorHint(error, folder);
    if (expected === undefined) expect(hint).toBeUndefined();
    else expect(hint).toMatch(expected);
  });

  test("a folder that does not exist explains nothing", () => {
    expect(openErrorHint(new Error("x"), join(folder, "missing"))).toBeUndefined();
  });

  // The superuser may write everywhere.
  test.runIf(process.getuid?.() !== 0)("a file of another user at any depth is named", () => {
    mkdirSync(join(folder, "base"));
    writeFileSync(join(folder, "base", "theirs"), "", { mode: 0o400 });
    const hint = openErrorHint(new Error("PGlite failed to initialize properly"), folder);
    expect(hint).toMatch(/^This user may not use it \(.*base\/theirs.*\): run as its owner/);
  });
});
