import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  checkAlarmsFolder,
  checkConfigFile,
  checkLoginFile,
} from "../../src/config/permissions.ts";

/** A folder of its own; whatever the test's umask, files have the modes that the test says. */
function scratch(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "swf-alarms-rights-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function put(path: string, mode: number): string {
  writeFileSync(path, "");
  chmodSync(path, mode);
  return path;
}

function make(path: string, mode = 0o755): string {
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

describe("the configuration file", () => {
  test("that only its owner writes is fine, also in a sticky folder for all", () => {
    const folder = make(join(scratch(), "conf"));
    const path = put(join(folder, "config.toml"), 0o644);
    expect(checkConfigFile(path)).toBeUndefined();
    chmodSync(folder, 0o1777);
    expect(checkConfigFile(path)).toBeUndefined();
  });

  test("that others can write is refused with the command that mends it", () => {
    const path = put(join(scratch(), "it's mine.toml"), 0o666);
    const shown = `'${path.replace("'", "'\\''")}'`;
    expect(checkConfigFile(path)).toBe(
      `refused the configuration ${shown}: others can write ${path} (mode 666) and could make the engine run and send what they like; as the owner run: chmod go-w ${shown}, or allow it knowingly with --allow-writable`,
    );
  });

  test("in a folder where others could put another one is refused, and the folder named", () => {
    const folder = make(join(scratch(), "conf"), 0o777);
    const path = put(join(folder, "config.toml"), 0o600);
    expect(checkConfigFile(path)).toContain(`chmod go-w '${folder}', or`);
  });

  test("behind a link is judged where it lies", () => {
    const folder = scratch();
    const open = make(join(folder, "open"), 0o777);
    const target = put(join(open, "real.toml"), 0o666);
    const link = join(folder, "config.toml");
    symlinkSync(target, link);
    expect(checkConfigFile(link)).toContain(`chmod go-w '${target}' '${open}'`);
  });
});

test("a login file is judged, its folder is not", () => {
  const folder = make(join(scratch(), "app"), 0o777);
  const path = put(join(folder, ".env"), 0o640);
  expect(checkLoginFile(path)).toBeUndefined();
  chmodSync(path, 0o602);
  expect(checkLoginFile(path)).toMatch(/^refused the login in .*chmod go-w '.*\.env'/);
});

describe("the alarms folder", () => {
  /** A folder as a checkout under umask 002 leaves it, where the group is the owner's own. */
  function alarms(mode = 0o755): string {
    const folder = make(join(scratch(), "alarms"), mode);
    put(join(folder, "one.ts"), 0o644);
    put(join(make(join(folder, "lib")), "shared.ts"), 0o644);
    return folder;
  }
  const check = (folder: string) => checkAlarmsFolder(folder, new Set([join(folder, "one.ts")]));

  test("that only its owner writes is fine", () => {
    expect(check(alarms())).toEqual({ refused: undefined, modules: new Map() });
  });

  test.each([
    ["is itself open", (folder: string) => chmodSync(folder, 0o777), ""],
    ["is itself open and sticky", (folder: string) => chmodSync(folder, 0o1777), ""],
    ["lies in an open folder", (folder: string) => chmodSync(join(folder, ".."), 0o777), ".."],
    ["has an open subfolder", (folder: string) => chmodSync(join(folder, "lib"), 0o777), "lib"],
    [
      "has an open file in a subfolder",
      (folder: string) => chmodSync(join(folder, "lib", "shared.ts"), 0o666),
      "lib/shared.ts",
    ],
    [
      "has an open file that is no module",
      (folder: string) => put(join(folder, "_own.ts"), 0o666),
      "_own.ts",
    ],
    [
      "has an open node_modules",
      (folder: string) => make(join(folder, "node_modules"), 0o777),
      "node_modules",
    ],
  ])("that %s is refused, with the command that mends it", (_, spoil, place) => {
    const folder = alarms();
    spoil(folder);
    const { refused, modules } = check(folder);
    expect(refused).toContain(`run: chmod go-w '${join(folder, place)}', or`);
    expect(refused).not.toContain("\n");
    expect(modules.size).toBe(0);
  });

  test("with an open module file costs only that alarm", () => {
    const folder = alarms();
    const path = join(folder, "one.ts");
    chmodSync(path, 0o666);
    expect(check(folder)).toEqual({
      refused: undefined,
      modules: new Map([
        [path, `can be written by others (mode 666); as its owner run: chmod go-w '${path}'`],
      ]),
    });
  });

  test("links are judged by their targets, and circles end", () => {
    const folder = alarms();
    const elsewhere = make(join(folder, "..", "elsewhere"), 0o777);
    symlinkSync(put(join(elsewhere, "open.ts"), 0o644), join(folder, "lib", "linked.ts"));
    symlinkSync(folder, join(folder, "lib", "up"));
    symlinkSync("/nowhere/at/all", join(folder, "lib", "broken.ts"));
    const { refused } = check(folder);
    expect(refused).toContain(`run: chmod go-w '${elsewhere}', or`);
    chmodSync(elsewhere, 0o755);
    expect(check(folder).refused).toBeUndefined();
    chmodSync(join(elsewhere, "open.ts"), 0o666);
    expect(check(folder).refused).toContain("open.ts'");
  });

  test("what is in node_modules and in hidden folders is not looked at", () => {
    const folder = alarms();
    for (const name of ["node_modules", ".git"])
      put(join(make(join(folder, name)), "open.js"), 0o666);
    expect(check(folder).refused).toBeUndefined();
  });

  test("with many faults names five, and how many more there are", () => {
    const folder = alarms();
    for (let i = 0; i < 8; i++) put(join(folder, "lib", `f${i}.ts`), 0o666);
    const { refused } = check(folder);
    expect(refused?.match(/lib\/f\d\.ts'/g)).toHaveLength(5);
    expect(refused).toContain("8 files and folders");
    expect(refused).toContain("(and 3 more,");
  });

  test("that is no alarms folder at all is not walked for ever", () => {
    const folder = alarms();
    for (let i = 0; i < 10_001; i++) symlinkSync("nowhere", join(folder, "lib", `x${i}`));
    expect(check(folder).refused).toMatch(/^cannot check who can write .*more than 10000 files/);
  });
});
