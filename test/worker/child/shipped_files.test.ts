import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as helpers from "../../../src/index.ts";
import { ModuleLoader } from "../../../src/worker/child/load.ts";
import { IDLE_CLIENT } from "../../support/idle_client.ts";
import { type LoadedHere, loadHere } from "../../support/load_module.ts";

const SHIPPED = fileURLToPath(new URL("../../../alarms", import.meta.url));
const OWNER = "panda_failure_rate_owner";

/** A site's folder, far from the package. */
let folder = "";
let loader: ModuleLoader;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "swf-alarms-shipped-")));
  loader = new ModuleLoader({ ...helpers });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function loadPath(path: string): Promise<LoadedHere> {
  return await loadHere(loader, { name: "x", path });
}

async function load(file: string, text: string): Promise<LoadedHere> {
  return await loadPath(write(file, text));
}

function faultOf({ parsed }: LoadedHere): string {
  return parsed.ok ? "no fault" : parsed.error;
}

const DETECT = "export const detect = () => [];";

describe("a module imports the shipped library by its name", () => {
  const rows: readonly [string, string, string][] = [
    ["in TypeScript", "a.ts", "swf-alarms/lib/fields"],
    ["in a JavaScript module", "a.mjs", "swf-alarms/lib/fields"],
    ["with the extension of its source", "a.ts", "swf-alarms/lib/fields.ts"],
    ["with a compiled file's extension", "a.ts", "swf-alarms/lib/fields.js"],
  ];
  test.each(rows)("%s, at once and later", async (_, file, specifier) => {
    const { detect, parsed } = await load(
      file,
      `import { numberOf } from "${specifier}";
       export const detect = async () => [numberOf, (await import("${specifier}")).numberOf];`,
    );
    expect(parsed).toMatchObject({ ok: true });
    const [now, later] = Object(await detect?.(IDLE_CLIENT, {}));
    expect(now).toEqual(expect.any(Function));
    expect(later).toBe(now);
  });
});

describe("a module builds on a shipped alarm", () => {
  const text = `export * from "swf-alarms/alarms/${OWNER}";\nexport const TITLE = "Ours";`;

  test("with everything of it but what it exports itself", async () => {
    const shipped = await loadPath(join(SHIPPED, `${OWNER}.ts`));
    const own = await load(`${OWNER}.ts`, text);
    if (!shipped.parsed.ok || !own.parsed.ok) throw new Error(faultOf(own));
    expect(own.parsed.module).toEqual({
      ...shipped.parsed.module,
      path: join(folder, `${OWNER}.ts`),
      title: "Ours",
    });
    expect(own.detect).toBe(shipped.detect);
  });

  test("whichever of the two is loaded first", async () => {
    const own = await load("a.ts", text);
    const shipped = await loadPath(join(SHIPPED, `${OWNER}.ts`));
    expect(own.detect).toBe(shipped.detect);
  });

  test("from a file in the older style, later", async () => {
    const older = `exports.detect = async () => (await import("swf-alarms/alarms/${OWNER}")).detect;`;
    const [own, shipped] = [
      await load("a.js", older),
      await loadPath(join(SHIPPED, `${OWNER}.ts`)),
    ];
    expect(await own.detect?.(IDLE_CLIENT, {})).toBe(shipped.detect);
  });
});

describe("a file is loaded once, whichever way it is named", () => {
  test("through links to files and folders", async () => {
    write("real/lib/state.ts", "export const state = {};");
    const real = write(
      "real/a.ts",
      'import { state } from "./lib/state.ts";\nexport const detect = () => state;',
    );
    symlinkSync("real", join(folder, "folder"));
    symlinkSync("real/a.ts", join(folder, "b.ts"));
    const paths = [join(folder, "folder/a.ts"), join(folder, "b.ts"), real];
    const loaded = [];
    for (const path of paths) loaded.push((await loadPath(path)).detect);
    expect(new Set(loaded)).toEqual(new Set([expect.any(Function)]));
  });

  test("a link to a shipped alarm finds the library that lies beside the alarm", async () => {
    const link = join(folder, "ours.ts");
    symlinkSync(join(SHIPPED, `${OWNER}.ts`), link);
    const shipped = await loadPath(join(SHIPPED, `${OWNER}.ts`));
    expect((await loadPath(link)).detect).toBe(shipped.detect);
  });

  test("a copy of a shipped alarm is a file of its own, which needs its library beside it", async () => {
    const copy = join(folder, `${OWNER}.ts`);
    copyFileSync(join(SHIPPED, `${OWNER}.ts`), copy);
    expect(faultOf(await loadPath(copy))).toContain("Cannot find module './lib/");
  });
});

describe("a name that the package does not have is a fault that lists what there is", () => {
  const rows: readonly [string, string, RegExp][] = [
    [
      "of the library",
      "swf-alarms/lib/nope",
      /cannot find "swf-alarms\/lib\/nope", imported from \S+a\.ts; the package has in swf-alarms\/lib\/ \w+, .*panda_task(, \w+)*$/,
    ],
    [
      "of the alarms",
      "swf-alarms/alarms/nope.ts",
      /cannot find "swf-alarms\/alarms\/nope\.ts", imported from \S+a\.ts; the package has in swf-alarms\/alarms\/ \w+, .*panda_task_without_movement(, \w+)*$/,
    ],
    [
      "none at all",
      "swf-alarms/lib",
      /cannot find "swf-alarms\/lib", .*; the package has swf-alarms, swf-alarms\/lib\/NAME and swf-alarms\/alarms\/NAME$/,
    ],
    [
      "a path",
      "swf-alarms/lib/../../src/core/json",
      /cannot find "swf-alarms\/lib\/\.\.\/.*; the package has /,
    ],
    [
      "another part",
      "swf-alarms/core/json",
      /cannot find "swf-alarms\/core\/json", .*; the package has /,
    ],
  ];
  test.each(rows)("%s", async (_, specifier, expected) => {
    const from = JSON.stringify(specifier);
    for (const text of [
      `import * as all from ${from};\nexport const detect = () => all;`,
      `await import(${from});\n${DETECT}`,
    ]) {
      const fault = faultOf(await load("a.ts", text));
      expect(fault).toMatch(expected);
      expect(fault).not.toContain("\n");
    }
  });

  test("and one of it that is required by a file in the older style is refused as any TypeScript is", async () => {
    const fault = faultOf(await load("a.js", 'exports.detect = require("swf-alarms/lib/fields");'));
    expect(fault).toMatch(
      /a\.js requires \S+alarms\/lib\/fields\.ts, which is not CommonJS; use import/,
    );
  });
});
