import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ProcessResult, runEngine } from "../support/process.ts";

describe("the demo", () => {
  let parent: string;
  let folder: string;
  let first: ProcessResult;

  beforeAll(async () => {
    parent = mkdtempSync(join(tmpdir(), "swf-alarms-demo-test-"));
    folder = join(parent, "it's new");
    first = await runEngine(["demo", "--dir", folder]);
    return () => rmSync(parent, { recursive: true, force: true });
  });

  test("exits with 0 and prints no errors", () => {
    expect(first.stderr).toBe("");
    expect(first.code).toBe(0);
  });

  test("shows what each tick did and why", () => {
    const [, ...ticks] = first.stdout.split(/^== Tick /m);
    expect(ticks).toHaveLength(6);
    const [start = "", ...later] = ticks;
    expect(new Set(verbs(start))).toEqual(new Set(["not run"]));
    expect(later.map(verbs)).toEqual(
      [
        ["fired 90417", "fired 90415", "mailed"],
        ["fired 90421", "still firing 90417", "still firing 90415", "mailed", "not mailed"],
        ["error", "kept 90415", "kept 90417", "kept 90421", "not mailed"],
        ["still firing 90421", "still firing 90417", "cleared 90415", "not mailed"],
        ["still firing 90421", "still firing 90417", "mailed"],
      ].map((lines) => lines.toSorted()),
    );
    expect(ticks[3]).toContain("not JSON");
    expect(ticks[5]).toContain("renotification due");
  });

  test("prints the first mail, and keeps each as a file", () => {
    expect(first.stdout.match(/^ {2}\| Subject: /gm)).toHaveLength(1);
    expect(first.stdout).toContain("| To: ana@example.org, ben@example.org");
    const files = readdirSync(join(folder, "outbox"));
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toMatch(/\.eml$/);
      expect(first.stdout).toContain(join(folder, "outbox", file));
    }
  });

  test("leaves nothing listening", async () => {
    const config = readFileSync(join(folder, "config.toml"), "utf8");
    const url = /^base_url = "(.*)"$/m.exec(config)?.[1] ?? "";
    expect(first.stdout).toContain(url);
    await expect(fetch(`${url}/api/panda/tasks/`)).rejects.toThrow("fetch failed");
  });

  test("the commands that it prints read its results", async () => {
    const config = join(folder, "config.toml");
    const events = await runEngine(["event", "list", "--all", "--config", config]);
    expect(events.stderr).toBe("");
    expect(events.stdout).toContain("task:90415");
    const runs = await runEngine(["run", "list", "--json", "--config", config]);
    const starts = Array.from(runs.stdout.matchAll(/"started_at": "(\S+)"/g), ([, time = ""]) =>
      Date.parse(time),
    );
    expect(starts).toHaveLength(6);
    expect(Math.max(...starts)).toBeLessThan(Date.now());
  });

  test("a second run works, and keeps files that it did not create", async () => {
    writeFileSync(join(folder, "notes.txt"), "mine");
    const second = await runEngine(["demo", "--dir", folder]);
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(readdirSync(join(folder, "outbox"))).toHaveLength(3);
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });
});

describe("a folder that the demo did not create", () => {
  test("is rejected and not changed, whatever its path looks like", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "state"));
    writeFileSync(join(folder, "config.toml"), "mine");
    for (const dir of [folder, "."]) {
      const result = await runEngine(["demo", "--dir", dir], { cwd: folder });
      expect(result.code).toBe(2);
      expect(result.stdout).toBe("");
      expect(result.stderr).toContain("the demo did not create");
      expect(result.stderr).toContain("--dir");
    }
    expect(readdirSync(folder)).toEqual(["config.toml", "state"]);
    expect(readFileSync(join(folder, "config.toml"), "utf8")).toBe("mine");
  });

  test("may be a file: the error is one line", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "mine");
    for (const dir of [file, join(file, "below")]) {
      const result = await runEngine(["demo", "--dir", dir]);
      expect(result.code).toBe(2);
      expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(result.stderr).toContain(dir);
    }
  });
});

/** What a tick's lines begin with and which task they name, in the order of the alphabet. */
function verbs(tick: string): readonly string[] {
  const lines = tick.matchAll(/^ {4}([a-z]+(?: [a-z]+)?) +(?:task:(\d+))?/gm);
  return Array.from(lines, ([, verb, id]) =>
    id === undefined ? `${verb}` : `${verb} ${id}`,
  ).sort();
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "swf-alarms-demo-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
