import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { readRegularFile } from "../../src/config/regular_file.ts";

const folder = mkdtempSync(join(tmpdir(), "swf-alarms-regular-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

test("a file is read in full, also an empty one and one behind a link", () => {
  for (const [name, text] of [
    ["empty", ""],
    ["text", "störung\n".repeat(100_000)],
  ] as const) {
    writeFileSync(at(name), text);
    symlinkSync(name, at(`link to ${name}`));
    expect(readRegularFile(at(name)).toString()).toBe(text);
    expect(readRegularFile(at(`link to ${name}`)).toString()).toBe(text);
  }
});

describe("what is no file is refused at once", () => {
  const rows: readonly [string, (path: string) => void][] = [
    ["a named pipe", (path) => execFileSync("mkfifo", [path])],
    ["a link to endless zeros", (path) => symlinkSync("/dev/zero", path)],
    ["a link to a terminal", (path) => symlinkSync("/dev/tty", path)],
    ["a folder", (path) => mkdirSync(path)],
    [
      "a sparse file of a terabyte",
      (path) => {
        writeFileSync(path, "");
        truncateSync(path, 2 ** 40);
      },
    ],
  ];
  test.each(rows)("%s", (name, make) => {
    make(at(name));
    expect(() => readRegularFile(at(name))).toThrow(`${at(name)} is not a regular file`);
  });

  test("a socket", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at("socket"), resolve));
    onTestFinished(() => void server.close());
    expect(() => readRegularFile(at("socket"))).toThrow("is not a regular file");
  });

  test("a file of the system that never ends has as much as its size says", () => {
    expect(readRegularFile("/proc/self/pagemap")).toHaveLength(0);
  });
});
