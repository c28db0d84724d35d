import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { QUIET } from "../support/quiet.ts";
import { insertAlarm, only } from "../support/rows.ts";
import { makeSite, type Site } from "../support/site.ts";

/** Many processes, one after the other, on machines with two cores. */
const SLOW = 240_000;

const WELL = "export const SOURCES = [];\nexport const detect = () => [];";

/** Name, and state with its reasons, of each item of `alarm list --json` but the built-in alarm. */
async function listed(site: Site): Promise<{ readonly [name: string]: string }> {
  const { stdout } = await site.command(["alarm", "list", "--json"]);
  const items: readonly { alarm: string; state: string; reasons: readonly string[] }[] =
    JSON.parse(stdout).alarms;
  const own = items.filter(({ alarm }) => alarm !== "engine");
  return Object.fromEntries(
    own.map(({ alarm, state, reasons }) => [alarm, [state, ...reasons].join(": ")]),
  );
}

test(
  "each skipped file that may be meant as an alarm is listed with what to do, and a tick is quiet about it",
  async () => {
    const site = await makeSite();
    const renamed: readonly [string, string][] = [
      ["my-alarm.ts", "my_alarm.ts"],
      ["MyAlarm2.ts", "my_alarm2.ts"],
      ["x.mts", "x.ts"],
      ["2nd.js", "nd.js"],
    ];
    for (const [file] of renamed) site.module(file, WELL);
    for (const file of ["well.ts", "README.md", "a.test.ts", "_a.ts", "a.d.ts", "b.ts~"])
      site.module(file, WELL);
    mkdirSync(join(site.alarmsDir, "folder.ts"));
    symlinkSync("nowhere", join(site.alarmsDir, "broken.ts"));
    expect(await site.tick()).toEqual(QUIET);
    expect(only(await site.entries("alarm")).data.entry_id).toBe("alarm_well");

    const reason = (file: string, why: string) =>
      `error: did not load ${site.alarmsDir}/${file}: it is ${why}`;
    const named =
      "not an alarm module; the name of one is a lower-case identifier with .ts, .mjs or .js; rename it to";
    expect(await listed(site)).toEqual({
      ...Object.fromEntries(
        renamed.map(([file, name]) => [file, reason(file, `${named} ${name}`)]),
      ),
      "folder.ts": reason("folder.ts", "not a regular file"),
      "broken.ts": reason("broken.ts", "a link whose target does not exist"),
      well: "ready",
    });
    const table = await site.command(["alarm", "list"]);
    for (const [file, name] of renamed)
      expect(table.stdout).toContain(reason(file, `${named} ${name}`));

    for (const args of [
      ["show", "my-alarm"],
      ["show", "my-alarm.ts"],
      ["try", "my-alarm"],
      ["set", "my-alarm", "--mail", "on"],
    ])
      expect(await site.command(["alarm", ...args])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^swf-alarms: there is no alarm "my-.*; rename it to my_alarm\.ts\n$/,
        ),
      });
    expect((await site.command(["alarm", "show", "x"])).stderr).toContain("rename it to x.ts");
    expect(await site.entries("alarm")).toHaveLength(1);
  },
  SLOW,
);

test(
  "pipes, devices and endless files cost at most the alarm that needs them",
  async () => {
    const site = await makeSite({ mail: "none" });
    const own = join(site.folder, "own");
    for (const folder of [site.alarmsDir, own]) {
      mkdirSync(join(folder, "lib"), { recursive: true });
      execFileSync("mkfifo", [join(folder, "pipe.ts"), join(folder, "lib", "pipe.ts")]);
      execFileSync("mkfifo", [join(folder, "lib", "pipe.json")]);
      symlinkSync("/dev/zero", join(folder, "zero.ts"));
      symlinkSync("/dev/zero", join(folder, "lib", "zero.ts"));
      // Both folders have it, so that their content is compared.
      symlinkSync("/proc/self/pagemap", join(folder, "endless.ts"));
      writeFileSync(join(folder, "huge.ts"), "");
      truncateSync(join(folder, "huge.ts"), 2 ** 40);
    }
    site.module("uses_pipe.ts", `import "./lib/pipe.ts";\n${WELL}`);
    site.module("uses_zero.ts", `import "./lib/zero.ts";\n${WELL}`);
    site.module("uses_json.js", `require("./lib/pipe.json");\nexports.detect = () => [];`);
    site.module("well.ts", WELL);
    site.configure({ mail: "none", alarmsDir: [site.alarmsDir, own] });
    const { code, stderr } = await site.tick();
    expect(code).toBe(1);
    const failed = ["endless", "huge", "uses_json", "uses_pipe", "uses_zero"];
    expect([...stderr.matchAll(/^swf-alarms: (\w+): /gm)].map(([, name]) => name)).toEqual(failed);
    expect(stderr.match(/\(a regular file\)/g)).toHaveLength(3);
    expect(only(await site.entries("alarm")).data.entry_id).toBe("alarm_well");
    // With a state, each has a fingerprint.
    expect((await site.tick()).code).toBe(1);
    expect(Object.keys(await listed(site)).sort()).toEqual(
      [...failed, "pipe.ts", "well", "zero.ts"].sort(),
    );
  },
  SLOW,
);

test(
  "alarm_x beside x is an error that names both, and x runs",
  async () => {
    const site = await makeSite({ mail: "none" });
    site.module("x.ts", WELL);
    expect(await site.tick()).toEqual(QUIET);
    site.module("alarm_x.ts", WELL);
    const error = `alarm_x: did not load ${site.alarmsDir}/alarm_x.ts: it has the name that the row of ${site.alarmsDir}/x.ts has; rename one of the files`;
    expect(await site.tick()).toMatchObject({ code: 1, stderr: `swf-alarms: ${error}\n` });
    expect(await listed(site)).toEqual({
      alarm_x: error.replace("alarm_x:", "error:"),
      x: "ready",
    });
    expect((await site.command(["alarm", "show", "alarm_x"])).stdout).toContain("rename one of");
    expect((await site.command(["alarm", "show", "x"])).stdout).toMatch(/^state +ready$/m);
    expect(await site.entries("alarm")).toHaveLength(1);
  },
  SLOW,
);

test(
  "two hosts that share a database quarantine an alarm, although their checkouts differ in place and times",
  async () => {
    const site = await makeSite({ mail: "none" });
    site.module(
      "broken.js",
      'export const SOURCES = []; export function detect() { throw new Error("no"); }',
    );
    await insertAlarm(site, "broken");
    const other = join(site.folder, "checkout", "alarms");
    cpSync(site.alarmsDir, other, { recursive: true });
    utimesSync(join(other, "broken.js"), 1, 1);
    const codes: (number | null)[] = [];
    for (const alarmsDir of [site.alarmsDir, other, site.alarmsDir, other, site.alarmsDir]) {
      site.configure({ mail: "none", alarmsDir });
      codes.push((await site.tick()).code);
    }
    expect(codes).toEqual([1, 1, 1, 0, 0]);
  },
  SLOW,
);
