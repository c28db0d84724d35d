import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { Spool } from "../../src/spool/spool.ts";

const MiB = 2 ** 20;

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("Spool", () => {
  test("gives back what was appended, in any order, however it was cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (entries, dice) => {
          const spool = new Spool(MiB);
          try {
            const kept: { slice: ReturnType<Spool["append"]>; bytes: Uint8Array }[] = [];
            for (const bytes of entries) {
              kept.push({ slice: spool.append(bytes), bytes });
              const { slice, bytes: old } = kept[(dice.next().value ?? 0) % kept.length] ?? {
                slice: { at: 0, length: 0 },
                bytes: new Uint8Array(),
              };
              expect(Buffer.compare(spool.read(slice), old)).toBe(0);
            }
            expect(spool.size).toBe(entries.reduce((sum, { length }) => sum + length, 0));
          } finally {
            spool.close();
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test("an entry larger than what gathers is written at once and read back whole", () => {
    const spool = new Spool(8 * MiB);
    const large = Buffer.alloc(3 * MiB, "x");
    spool.append(Buffer.from("first"));
    const slice = spool.append(large);
    expect(spool.read(slice).equals(large)).toBe(true);
    spool.close();
  });

  test("is full where it says so, and keeps what it has", () => {
    const spool = new Spool(MiB);
    const slice = spool.append(Buffer.alloc(MiB, "a"));
    expect(() => spool.append(Buffer.from("b"))).toThrow("more than 1 MiB");
    expect(spool.read(slice).length).toBe(MiB);
    spool.close();
  });

  test("after a failed write takes nothing, and gives nothing back that may be another's", () => {
    vi.stubEnv("TMPDIR", "/there/is/no/such/folder");
    const spool = new Spool(MiB);
    const slice = spool.append(Buffer.from("mine"));
    expect(() => spool.read(slice)).toThrow("ENOENT");
    vi.unstubAllEnvs();
    expect(() => spool.append(Buffer.from("more"))).toThrow("an earlier write to the disk failed");
    expect(() => spool.read(slice)).toThrow("an earlier write to the disk failed");
    spool.close();
  });

  test("leaves no file behind that anybody could read", () => {
    const folder = mkdtempSync(join(tmpdir(), "swf-alarms-spool-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    vi.stubEnv("TMPDIR", folder);
    utimesSync(folder, 0, 0);
    const spool = new Spool(MiB);
    spool.append(Buffer.alloc(MiB / 2));
    // Something was made there, and is gone.
    expect(statSync(folder).mtimeMs).toBeGreaterThan(0);
    expect(readdirSync(folder)).toEqual([]);
    spool.close();
  });
});
