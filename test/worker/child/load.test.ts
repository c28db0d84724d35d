import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import * as helpers from "../../../src/index.ts";
import { FetchError } from "../../../src/source/fetch_error.ts";
import { ModuleLoader } from "../../../src/worker/child/load.ts";
import { IDLE_CLIENT } from "../../support/idle_client.ts";
import { type LoadedHere, loadHere } from "../../support/load_module.ts";

/** A folder somewhere else, without node_modules, and with a name that a URL would not take. */
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "swf alarms 100% #1?-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, text: string): string {
  const path = join(folder, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

async function load(file: string, text: string): Promise<LoadedHere> {
  const path = write(file, text);
  return await loadHere(new ModuleLoader({ ...helpers }), { name: "x", path });
}

/** The module that the text loads as; fails the test where it does not. */
async function moduleOf(file: string, text: string) {
  const { parsed, detect } = await load(file, text);
  if (!parsed.ok) throw new Error(parsed.error);
  if (detect === undefined) throw new Error("it loads, without its detect");
  return { ...parsed.module, detect };
}

async function faultOf(file: string, text: string): Promise<string> {
  const { parsed, detect } = await load(file, text);
  expect(detect === undefined).toBe(!parsed.ok);
  return parsed.ok ? "no fault" : parsed.error;
}

const DETECT = "export const detect = () => [];\n";

describe("every kind of module is loaded, without a build step", () => {
  const rows: readonly [string, string, string][] = [
    [
      "TypeScript with types",
      "a.ts",
      'import type { Detection } from "swf-alarms";\nexport const TITLE: string = "it";\nexport function* detect(): Generator<Detection> {}',
    ],
    [
      "TypeScript that must be compiled: enums, parameter properties",
      "a.ts",
      'enum E { A = "it" }\nclass C { constructor(readonly c: string) {} }\nexport const TITLE = new C(E.A).c;\nexport const detect = () => [];',
    ],
    [
      "a JavaScript file with imports",
      "a.js",
      `import "swf-alarms";\nexport const TITLE = "it";\n${DETECT}`,
    ],
    [
      "a JavaScript file with require",
      "a.js",
      'const { parseUtc } = require("swf-alarms");\nmodule.exports = { TITLE: parseUtc ? "it" : "", detect: () => [] };',
    ],
    [
      "a JavaScript file with exports",
      "a.js",
      'exports.TITLE = "it";\nexports.detect = function* () {};',
    ],
    [
      "a JavaScript module that waits at its top",
      "a.mjs",
      `export const TITLE = await Promise.resolve("it");\n${DETECT}`,
    ],
    [
      "TypeScript that waits at its top",
      "a.ts",
      `export const TITLE: string = await Promise.resolve("it");\n${DETECT}`,
    ],
    [
      "a module that imports a package of Node",
      "a.ts",
      `import { basename } from "node:path";\nexport const TITLE = basename("/x/it");\n${DETECT}`,
    ],
    [
      "a module that begins with a byte order mark",
      "a.ts",
      `\ufeffexport const TITLE = "it";\n${DETECT}`,
    ],
  ];
  test.each(rows)("%s", async (_, file, text) => {
    const module = await moduleOf(file, text);
    expect(module.title).toBe("it");
    expect(typeof module.detect).toBe("function");
  });

  test("with its own files below the folder, in both languages", async () => {
    write("lib/x.ts", 'import { y } from "./y.js";\nexport const x: string = "i" + y;');
    write("lib/y.js", 'export const y = "t";');
    const text = `import { x } from "./lib/x.ts";\nexport const TITLE = x;\n${DETECT}`;
    expect((await moduleOf("a.ts", text)).title).toBe("it");
  });

  const imports: readonly [string, string][] = [
    ["without an extension", 'import { it } from "./lib/it"; export const TITLE = it;'],
    ["by its compiled name", 'import { it } from "./lib/it.js"; export const TITLE = it;'],
    ["by its folder", 'import { it } from "./lib"; export const TITLE = it;'],
    ["by its URL", 'import { it } from "FOLDER/lib/it.ts"; export const TITLE = it;'],
    ["later", 'export const TITLE = (await import("./lib/it.ts")).it;'],
    [
      "that imports it back",
      'import { back } from "./lib/circle.ts"; export const TITLE = back();',
    ],
    ["of JSON", 'import data from "./lib/data.json"; export const TITLE: string = data.it;'],
    ["in the older style", 'import { it } from "./lib/old.cjs"; export const TITLE = it;'],
    ["of a package", 'import { it } from "package"; export const TITLE = it;'],
    ["in an older style of its own", 'exports.TITLE = require("./lib/old.cjs").it;'],
    ["by its place", 'export const TITLE = import.meta.filename.endsWith("/a.ts") && "it";'],
  ];
  test.each(imports)("a file of its own, %s", async (_, text) => {
    write("lib/it.ts", 'export const it: string = "it";');
    write("lib/index.mjs", 'export { it } from "./it.js";');
    write(
      "lib/circle.ts",
      'import { TITLE } from "../a.ts"; export const back = () => TITLE ?? "it";',
    );
    write("lib/data.json", '{ "it": "it" }');
    write("lib/old.cjs", 'exports.it = require("node:path").basename("/x/it");');
    write("node_modules/package/package.json", '{ "exports": { "import": "./it.mjs" } }');
    write("node_modules/package/it.mjs", 'export const it = "it";');
    const body = text
      .replace("FOLDER", pathToFileURL(folder).href)
      .replace("const TITLE", "var TITLE");
    const older = text.startsWith("exports") ? "exports.detect = () => [];" : DETECT;
    expect((await moduleOf("a.ts", `${body}\n${older}`)).title).toBe("it");
  });

  test.each([
    ["imported", "import data from './lib/ids.json'; export const detect = () => data;"],
    ["required", "const data = require('./lib/ids.json'); exports.detect = () => data;"],
  ])("long integers in %s JSON are kept, and it is read once", async (_, text) => {
    write("lib/ids.json", "\ufeff[9007199254740993, 1]");
    const { detect } = await moduleOf("a.js", text);
    const data = detect(IDLE_CLIENT, {});
    expect(data).toEqual(["9007199254740993", 1]);
    expect(detect(IDLE_CLIENT, {})).toBe(data);
  });

  const files: readonly (readonly [string, string])[] = [
    ["a.ts", "// comment\nexport const TITLE = 'caf\xe9';"],
    ["a.cjs", "// comment\nexports.title = 'caf\xe9';"],
    ["a.json", '[1,\n"             caf\xe9"]'],
  ];
  test.each(files)(
    "an imported %s that is not UTF-8 is an error with the place",
    async (file, text) => {
      writeFileSync(join(folder, file), Buffer.from(text, "latin1"));
      const says = `${join(folder, file)}: line 2, column `;
      for (const [name, importing] of [
        ["b.ts", `import "./${file}";\n${DETECT}`],
        ...(file === "a.ts" ? [] : [["c.js", `require("./${file}");`] as const]),
      ] as const) {
        const fault = await faultOf(name, importing);
        expect(fault).toContain(says);
        expect(fault).toMatch(/is not UTF-8; save it as UTF-8/);
      }
    },
  );

  test("a file in the older style loads TypeScript later", async () => {
    write("lib/it.ts", 'enum E { A = "it" }\nexport const it: string = E.A;');
    const text = 'exports.detect = async () => [(await import("./lib/it.ts")).it];';
    expect(await (await moduleOf("a.js", text)).detect(IDLE_CLIENT, {})).toEqual(["it"]);
  });

  test("several at the same time, that share a file which is run once", async () => {
    write(
      "lib/count.ts",
      "globalThis.counted = (globalThis.counted ?? 0) + 1; export const n = counted;",
    );
    const loader = new ModuleLoader({ ...helpers });
    const text = `import { n } from "./lib/count.ts"; export const detect = () => [n];`;
    const files = ["a.ts", "b.mjs", "c.js"].map((file) => ({ name: "x", path: write(file, text) }));
    const loaded = await Promise.all(files.map((file) => loadHere(loader, file)));
    expect(loaded.map(({ detect }) => detect?.(IDLE_CLIENT, {}))).toEqual([[1], [1], [1]]);
    Reflect.deleteProperty(globalThis, "counted");
  });

  test("with the lines of its author in the stack of what it throws", async () => {
    const text = `interface A {\n  b: string;\n}\nexport const detect = (): A => {\n  throw new Error("x");\n};`;
    const { detect } = await moduleOf("a.ts", text);
    expect(() => detect(IDLE_CLIENT, {})).toThrow(
      expect.objectContaining({ stack: expect.stringContaining(`${join(folder, "a.ts")}:5:`) }),
    );
  });

  test("swf-alarms is the engine's own, so that instanceof works", async () => {
    const text = `import { FetchError, parseUtc } from "swf-alarms";\nexport const detect = () => [FetchError, parseUtc];`;
    for (const file of ["a.ts", "b.js", "c.mjs"]) {
      const module = await moduleOf(file, text);
      expect(module.detect(IDLE_CLIENT, {})).toEqual([FetchError, helpers.parseUtc]);
      expect(module.detect(IDLE_CLIENT, {})).toEqual([helpers.FetchError, expect.anything()]);
    }
  });
});

describe("the exports of a module", () => {
  test("is read in full", async () => {
    const text = `
      export const TITLE = "Title";
      export const DESCRIPTION = "Description";
      export const SOURCES = ["gracedb"];
      export const STAGES = ["preliminary", "initial"];
      export const PARAMS = { p: { type: "number", default: 1, description: "" } };
      export const GRAPH = { stages: STAGES, expectations: [{ name: "a", want: { label: "A" }, within: 1, owner: undefined }] };
      export const detect = () => [];`;
    expect(await moduleOf("a.ts", text)).toMatchObject({
      name: "x",
      path: join(folder, "a.ts"),
      title: "Title",
      description: "Description",
      sources: ["gracedb"],
      stages: ["preliminary", "initial"],
      params: { p: { type: "number", default: 1, description: "" } },
      graph: {
        stages: ["preliminary", "initial"],
        expectations: [{ name: "a", want: { label: "A" }, within: 1 }],
      },
    });
  });

  test("may be nothing but detect", async () => {
    expect(await moduleOf("a.ts", DETECT)).toMatchObject({
      title: undefined,
      description: undefined,
      sources: undefined,
      stages: [],
      params: {},
      graph: undefined,
    });
  });

  test("an empty list of sources is not the same as none given", async () => {
    expect((await moduleOf("a.ts", `export const SOURCES = [];${DETECT}`)).sources).toEqual([]);
  });
});

describe("a module that cannot be used has an error for its author", () => {
  const rows: readonly [string, string, string, RegExp][] = [
    [
      "a syntax error, with its place",
      "a.ts",
      "const a = 1;\nexport const = 5;\n",
      /cannot load .*a\.ts: .*a\.ts:2:\d+/,
    ],
    [
      "a syntax error in a JavaScript module",
      "a.mjs",
      "export const = 5;",
      /cannot load .*a\.mjs: .*:1:\d+/,
    ],
    [
      "an error that only Node finds",
      "a.ts",
      "const a: number = 1;\nlet a = 2;\nexport {};",
      /cannot load .*a\.ts: .*a\.ts: Identifier 'a' has already been declared$/,
    ],
    [
      "a name that swf-alarms does not export",
      "a.ts",
      `import { nothingSuch } from "swf-alarms"; export const detect = () => [nothingSuch];`,
      /'swf-alarms' does not provide an export named 'nothingSuch'/,
    ],
    [
      "a type of it that is exported again as a value",
      "a.ts",
      `export { AlarmClient } from "swf-alarms";\n${DETECT}`,
      /'swf-alarms' does not provide an export named 'AlarmClient'/,
    ],
    [
      "a required file that is not there",
      "a.js",
      'exports.detect = require("./a.mjs").detect;',
      /Cannot find module '\.\/a\.mjs' \(a regular file\) imported from .*a\.js$/,
    ],
    [
      "an error at import",
      "a.ts",
      'throw new Error("no luck");',
      /cannot load .*a\.ts: no luck \(at .*a\.ts:1:7\)+$/,
    ],
    ["a text thrown at import", "a.ts", 'throw "no luck";', /cannot load .*a\.ts: no luck$/],
    ["undefined thrown at import", "a.ts", "throw undefined;", /cannot load .*a\.ts: undefined$/],
    [
      "an object without a text thrown at import",
      "a.ts",
      "throw Object.create(null);",
      /cannot load .*a\.ts/,
    ],
    [
      "a rejection at its top",
      "a.mjs",
      'await Promise.reject(new Error("no luck"));',
      /cannot load .*a\.mjs: no luck \(at .*a\.mjs:\d+:\d+\)$/,
    ],
    [
      "a package that is not there",
      "a.ts",
      'import { a } from "not-there";\na();',
      /cannot load .*a\.ts: .*not-there/,
    ],
    [
      "a required package that is not there, without the list of who asked",
      "a.js",
      'require("not-there");',
      /^cannot load (?!.*Require stack).*a\.js: .*not-there/,
    ],
    [
      "a module that exports nothing",
      "a.js",
      "module.exports = null;",
      /a\.js: it must export a function detect\(client, params\), found undefined$/,
    ],
    [
      "a file that is not there",
      "a.ts",
      'import { a } from "./lib/gone.ts";\na();',
      /cannot load .*a\.ts: .*gone/,
    ],
    [
      "an empty file",
      "a.ts",
      "",
      /a\.ts: it must export a function detect\(client, params\), found undefined$/,
    ],
    ["a detect that is not a function", "a.ts", "export const detect = [];", /found object$/],
    [
      "a detect in the default export",
      "a.ts",
      "export default { detect: () => [] };",
      /it must export a function detect/,
    ],
    [
      "a misspelt detect",
      "a.ts",
      "export const detects = () => [];",
      /it must export a function detect/,
    ],
    [
      "a module that exports a function alone",
      "a.js",
      "module.exports = () => [];",
      /it must export a function detect/,
    ],
    [
      "a title that is not a string",
      "a.ts",
      `export const TITLE = 5;${DETECT}`,
      /a\.ts: TITLE must be a string, found 5$/,
    ],
    [
      "a description that is not a string",
      "a.ts",
      `export const DESCRIPTION = null;${DETECT}`,
      /DESCRIPTION must be a string, found null$/,
    ],
    [
      "sources that are not a list",
      "a.ts",
      `export const SOURCES = "gracedb";${DETECT}`,
      /SOURCES must be a list of source names$/,
    ],
    [
      "sources that are not names",
      "a.ts",
      `export const SOURCES = [1];${DETECT}`,
      /SOURCES must be a list of source names$/,
    ],
    ...[
      "null",
      '"initial"',
      "{}",
      "[]",
      "[1]",
      '["initial", null]',
      '[""]',
      '[" "]',
      '["initial", "update", "initial"]',
    ].map((stages): [string, string, string, RegExp] => [
      `stages that are not a list of different names: ${stages}`,
      "a.ts",
      `export const STAGES = ${stages};${DETECT}`,
      new RegExp(
        `STAGES must be a list of 1 to 50 different names, each of 1 to 100 characters, found ${stages.replaceAll(", ", ",").replaceAll(/[[\]{}]/g, "\\$&")}$`,
      ),
    ]),
    ...(
      [
        [
          "a function",
          "{ expectations: [{ want: () => true }] }",
          "expectations[0].want is a function",
        ],
        [
          "what JSON does not have",
          "{ expectations: new Map() }",
          "expectations is an instance of Map",
        ],
        [
          "a time that is not a number",
          "{ expectations: [{ within: 0 / 0 }] }",
          "expectations[0].within is NaN",
        ],
      ] as const
    ).map(([what, graph, fault]): [string, string, string, RegExp] => [
      `a graph with ${what}`,
      "a.ts",
      `export const GRAPH = ${graph};${DETECT}`,
      new RegExp(`GRAPH must be data: ${fault.replaceAll(/[[\]]/g, "\\$&")}`),
    ]),
    [
      "a graph that is wrong",
      "a.ts",
      `export const GRAPH = { expectations: [{ name: "map", want: "map", within: 1, after: ["mop"] }] };${DETECT}`,
      /GRAPH: expectation "map": there is no "mop" to come after/,
    ],
    [
      "more than 50 stages",
      "a.ts",
      `export const STAGES = Array.from({ length: 51 }, (_, at) => String(at));${DETECT}`,
      /STAGES must be a list of 1 to 50 different names/,
    ],
    [
      "a stage with a long name",
      "a.ts",
      `export const STAGES = ["x".repeat(101)];${DETECT}`,
      /STAGES must be a list of 1 to 50 different names, .*found \["x{60}/,
    ],
    [
      "parameters that are not an object",
      "a.ts",
      `export const PARAMS = [];${DETECT}`,
      /PARAMS must be an object/,
    ],
    [
      "a parameter without a type",
      "a.ts",
      `export const PARAMS = { p: {} };${DETECT}`,
      /PARAMS\.p: type must be one of/,
    ],
    [
      "a null default",
      "a.ts",
      `export const PARAMS = { p: { type: "number", default: null } };${DETECT}`,
      /PARAMS\.p: .*default/,
    ],
    [
      "a type that is not a string",
      "a.ts",
      `export const PARAMS = { p: { type: 5n } };${DETECT}`,
      /PARAMS\.p: type must be one of/,
    ],
    [
      "exports that throw when looked at",
      "a.js",
      'Object.defineProperty(module.exports, "detect", { enumerable: true, get() { throw new Error("no luck"); } });',
      /a\.js: .*no luck/,
    ],
  ];
  test.each(rows)("%s", async (_, file, text, pattern) => {
    const fault = await faultOf(file, text);
    expect(fault).toMatch(pattern);
    expect(fault).toContain(folder);
    expect(fault).not.toContain("\n");
  });

  test("all at once", async () => {
    const fault = await faultOf(
      "a.ts",
      "export const TITLE = 1, SOURCES = 1, STAGES = 1, PARAMS = 1;",
    );
    for (const name of ["detect", "TITLE", "SOURCES", "STAGES", "PARAMS"])
      expect(fault).toContain(name);
  });

  test("a file that has gone meanwhile", async () => {
    const path = join(folder, "gone.ts");
    const loaded = await loadHere(new ModuleLoader({ ...helpers }), { name: "gone", path });
    expect(loaded.parsed).toEqual({ ok: false, error: expect.stringContaining(path) });
  });

  test("a folder with a module's name", async () => {
    const path = join(folder, "folder.ts");
    mkdirSync(path);
    const loaded = await loadHere(new ModuleLoader({ ...helpers }), { name: "folder", path });
    expect(loaded.parsed).toEqual({ ok: false, error: expect.stringContaining(path) });
  });

  const misspelt: readonly [string, string][] = [
    ["export const detct = () => [];", "detct (did you mean detect?)"],
    ["export function* Detect() {}", "Detect (did you mean detect?)"],
    ["export async function dectet() {}", "dectet (did you mean detect?)"],
    ["export default () => [];", "default (did you mean detect?)"],
    ["export default { detect: () => [] };", "default (did you mean detect?)"],
    [`export const PARAM = {};${DETECT}`, "PARAM (did you mean PARAMS?)"],
    [`export const params = {};${DETECT}`, "params (did you mean PARAMS?)"],
    [`export const TITEL = "";${DETECT}`, "TITEL (did you mean TITLE?)"],
    [`export const title = "";${DETECT}`, "title (did you mean TITLE?)"],
    [`export const SOURCE = ["a"];${DETECT}`, "SOURCE (did you mean SOURCES?)"],
    [`export const STAGE = ["a"];${DETECT}`, "STAGE (did you mean STAGES?)"],
    [`export const stages = ["a"];${DETECT}`, "stages (did you mean STAGES?)"],
    [`export const graph = {};${DETECT}`, "graph (did you mean GRAPH?)"],
    [`export const DESCRIPTON = "";${DETECT}`, "DESCRIPTON (did you mean DESCRIPTION?)"],
    [
      `export const Title = "", PARMAS = {};${DETECT}`,
      "PARMAS (did you mean PARAMS?) and Title (did you mean TITLE?)",
    ],
  ];
  test.each(misspelt)(
    "a misspelt export is named with the right spelling: %s",
    async (text, hint) => {
      expect(await faultOf("a.ts", text)).toMatch(
        new RegExp(`it exports ${hint.replaceAll(/[()?]/g, "\\$&")}$`),
      );
    },
  );

  test.each([
    `export const STATES = ["failed"], vet = () => {}, annotate = () => {};${DETECT}`,
    `export const STAGES = Array.from({ length: 50 }, (_, at) => String(at).padStart(100, "x"));${DETECT}`,
    `export const RESOURCES = [], PARTS = [], pairs = [], limits = {}, TABLE = "";${DETECT}`,
    `export const title = () => "", params = () => {};${DETECT}`,
    `export const PARAMS = {}, PARAM = 1, TITLE = "", titel = 1;${DETECT}`,
    `${DETECT} export default detect;`,
    `export const detects = () => [];${DETECT}`,
  ])("other exports stay allowed: %s", async (text) => {
    expect(await moduleOf("a.ts", text)).toMatchObject({ name: "x" });
  });

  test("it does not keep the next one from loading", async () => {
    const loader = new ModuleLoader({ ...helpers });
    const bad = await loadHere(loader, { name: "a", path: write("a.ts", "throw new Error();") });
    const good = await loadHere(loader, { name: "b", path: write("b.ts", DETECT) });
    expect([bad.parsed.ok, good.parsed.ok]).toEqual([false, true]);
  });

  test("a shared file that is broken, by each of those that import it, and each time", async () => {
    write("lib/bad.ts", 'export const it = 1; throw new Error("lib says why");');
    write("lib/through.ts", 'export * from "./bad.ts";');
    const loader = new ModuleLoader({ ...helpers });
    const faults: unknown[] = [];
    for (const [name, imported] of [
      ["a", "bad"],
      ["b", "bad"],
      ["c", "through"],
      ["d", "through"],
      ["a", "bad"],
    ]) {
      const path = write(`${name}.ts`, `import "./lib/${imported}.ts";\n${DETECT}`);
      faults.push((await loadHere(loader, { name: "x", path })).parsed);
    }
    expect(faults).toEqual(
      ["a", "b", "c", "d", "a"].map((name) => ({
        ok: false,
        error: expect.stringContaining(
          `cannot load ${join(folder, name)}.ts: lib says why (at ${join(folder, "lib", "bad.ts")}:1:`,
        ),
      })),
    );
  });

  test("an error of its own at import, in the same words when it is loaded again", async () => {
    const loader = new ModuleLoader({ ...helpers });
    const file = { name: "a", path: write("a.ts", `${DETECT}throw new Error("no luck");`) };
    const [first, again] = [await loadHere(loader, file), await loadHere(loader, file)];
    const fault = `cannot load ${file.path}: no luck (at ${file.path}:2:7)`;
    expect(first.parsed).toEqual({ ok: false, error: fault });
    expect(again.parsed).toEqual(first.parsed);
  });

  test.each([
    ["TypeScript", "t.ts", "exports.it = 1 as number;", "./lib/t"],
    ["a module in TypeScript", "t.mts", "export const it: number = 1;", "./lib/t.mts"],
    ["a module", "t.mjs", "export const it = 1;", "./lib/t.mjs"],
    ["a file with export", "t.js", "export const it = 1;", "./lib/t.js"],
  ])("%s that is required", async (_, lib, text, specifier) => {
    const required = write(`lib/${lib}`, text);
    const fault = await faultOf("a.js", `exports.detect = require("${specifier}").it;`);
    const path = join(folder, "a.js");
    expect(fault).toBe(
      `cannot load ${path}: ${path} requires ${required}, which is not CommonJS; use import`,
    );
  });
});

test("loading leaves no files behind, which others could write to", async () => {
  await moduleOf("a.ts", DETECT);
  expect(readdirSync(folder)).toEqual(["a.ts"]);
});

test("a module whose import never ends is an error", async () => {
  const path = write("hang.mjs", `await new Promise(() => {});\n${DETECT}`);
  const loaded = await loadHere(new ModuleLoader({ ...helpers }), { name: "hang", path }, 0.2);
  expect(loaded.parsed).toEqual({
    ok: false,
    error: `cannot load ${path}: import did not finish within 0.2 s`,
  });
});
