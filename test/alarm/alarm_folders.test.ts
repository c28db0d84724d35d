import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  AlarmsFolderError,
  distinctFolders,
  readAlarmFolders,
} from "../../src/alarm/alarm_folders.ts";
import type { AlarmFolder } from "../../src/config/config.ts";
import { engineSettings } from "../engine/engine_at.ts";

describe("a folder that is named twice counts once", () => {
  const real = new Map([["/link", "/a"]]);
  const rows: readonly [string, readonly string[], readonly string[]][] = [
    ["different folders stay in their order", ["/b", "/a"], ["/b", "/a"]],
    ["the same path", ["/a", "/a"], ["/a"]],
    ["the last place decides what it replaces", ["/a", "/b", "/a"], ["/b", "/a"]],
    ["a link to it", ["/a", "/b", "/link"], ["/b", "/link"]],
    ["a link to it first", ["/link", "/a"], ["/a"]],
  ];
  test.each(rows)("%s", (_, paths, expected) => {
    const folders = paths.map((path) => ({ path }));
    const distinct = distinctFolders(folders, (path) => real.get(path) ?? path);
    expect(distinct.map(({ path }) => path)).toEqual(expected);
  });
});

describe("real folders", () => {
  function scratch(): string {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), "swf-alarms-folders-")));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  function put(folder: string, ...files: readonly [string, string][]): string {
    mkdirSync(folder, { recursive: true });
    for (const [file, text] of files) writeFileSync(join(folder, file), text);
    return folder;
  }

  /** What is found, and what the log says of it. */
  function read(...alarmFolders: readonly AlarmFolder[]) {
    const lines: string[] = [];
    const keep = (level: string) => (line: string) => {
      lines.push(`${level} ${line}`);
    };
    const log = { error: keep("error"), info: keep("info"), debug: keep("debug") };
    return { modules: readAlarmFolders({ ...engineSettings(), alarmFolders }, log), lines };
  }

  test("the later folder's file is used, and only the details of the log say so", () => {
    const folder = scratch();
    const shipped = put(join(folder, "shipped"), ["a.ts", "1"], ["b.ts", "1"], ["c.ts", "1"]);
    const site = put(join(folder, "site"), ["a.js", "2"], ["b.ts", "1"], ["d.ts", "1"]);
    expect(read({ path: shipped }, { path: site })).toEqual({
      modules: [
        { name: "a", path: join(site, "a.js"), replaces: [join(shipped, "a.ts")] },
        { name: "b", path: join(site, "b.ts") },
        { name: "c", path: join(shipped, "c.ts") },
        { name: "d", path: join(site, "d.ts") },
      ],
      lines: [`debug a uses ${join(site, "a.js")}, which replaces ${join(shipped, "a.ts")}`],
    });
  });

  test("a link to a folder that is there already adds nothing", () => {
    const folder = scratch();
    const shipped = put(join(folder, "shipped"), ["a.ts", "1"]);
    const link = join(folder, "alarms");
    symlinkSync(shipped, link);
    expect(read({ path: shipped }, { path: link, mayBeMissing: true })).toEqual({
      modules: [{ name: "a", path: join(link, "a.ts") }],
      lines: [],
    });
  });

  test("the site's own folder may be missing", () => {
    const folder = scratch();
    const shipped = put(join(folder, "shipped"), ["a.ts", "1"]);
    const site = { path: join(folder, "alarms"), mayBeMissing: true } as const;
    expect(read({ path: shipped }, site)).toEqual({
      modules: [{ name: "a", path: join(shipped, "a.ts") }],
      lines: [],
    });
  });

  const unreadable: readonly [string, (path: string) => void, true | undefined][] = [
    ["a missing folder that is named", () => {}, undefined],
    ["a file in its place", (path) => writeFileSync(path, ""), true],
    ["a link that leads nowhere", (path) => symlinkSync("gone", path), true],
  ];
  test.each(unreadable)("%s is an error with what to do", (_, make, optional) => {
    const path = join(scratch(), "alarms");
    make(path);
    const site = optional === undefined ? { path } : { path, mayBeMissing: optional };
    expect(() => read(site)).toThrow(AlarmsFolderError);
    expect(() => read(site)).toThrow(
      new RegExp(`^cannot read the alarms folder ${path}: .*correct \\[engine\\] alarms_dir\\.$`),
    );
  });
});
