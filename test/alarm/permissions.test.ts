import {
  chmodSync,
  chownSync,
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
import { writableFault, writableFileFault } from "../../src/alarm/permissions.ts";

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

describe("a file", () => {
  test("that only its owner writes is accepted, also in a sticky folder for all", () => {
    const folder = make(join(scratch(), "conf"));
    const path = put(join(folder, "config.toml"), 0o644);
    expect(writableFault(path)).toBeUndefined();
    chmodSync(folder, 0o1777);
    expect(writableFault(path)).toBeUndefined();
  });

  test("that others can write is a fault with the command that corrects it", () => {
    const path = put(join(scratch(), "it's mine.toml"), 0o666);
    const word = `'${path.replace("'", "'\\''")}'`;
    expect(writableFault(path)).toBe(
      `other users can write ${path} (mode 666); as the owner run: chmod go-w ${word}, or accept it with --allow-writable`,
    );
  });

  test("that others could replace is a fault of its folder", () => {
    const folder = make(join(scratch(), "conf"), 0o777);
    const path = put(join(folder, "config.toml"), 0o600);
    expect(writableFault(path)).toContain(`chmod go-w ${folder}, or`);
    expect(writableFileFault(path)).toBeUndefined();
    chmodSync(path, 0o602);
    expect(writableFileFault(path)).toContain(`chmod go-w ${path}, or`);
  });

  test("behind a link is judged where it lies", () => {
    const folder = scratch();
    const open = make(join(folder, "open"), 0o777);
    const target = put(join(open, "real.toml"), 0o666);
    const link = join(folder, "config.toml");
    symlinkSync(target, link);
    expect(writableFault(link)).toContain(
      `write ${target} (mode 666) and ${open} (mode 777); as the owner run: chmod go-w ${target} ${open}, or`,
    );
  });

  test("that is a device is accepted, however it is named", () => {
    const link = join(scratch(), "log");
    symlinkSync("/dev/null", link);
    for (const path of ["/dev/null", "/dev/tty", link]) expect(writableFault(path)).toBeUndefined();
  });

  test.skipIf(process.getuid?.() !== 0)("of another user is not to be changed", () => {
    const folder = make(join(scratch(), "log"), 0o775);
    chownSync(folder, 54_321, 12_345);
    const path = put(join(folder, "run.log"), 0o600);
    const own = "use a file or folder of this user's own, or accept it with --allow-writable";
    expect(writableFault(path)).toBe(`other users can write ${folder} (mode 775); ${own}`);
  });

  test("that is missing is left to whoever reads it", () => {
    expect(writableFault(join(scratch(), "gone"))).toBeUndefined();
  });
});

test.each([
  ["is itself open", (folder: string) => chmodSync(folder, 0o777), ""],
  ["is itself open and sticky", (folder: string) => chmodSync(folder, 0o1777), ""],
  ["lies in an open folder", (folder: string) => chmodSync(join(folder, ".."), 0o777), ".."],
])("an alarms folder that %s is a fault", (_, spoil, place) => {
  const folder = make(join(scratch(), "alarms"));
  expect(writableFault(folder)).toBeUndefined();
  spoil(folder);
  expect(writableFault(folder)).toContain(`run: chmod go-w ${join(folder, place)}, or`);
});
