import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom: `cli → engine → (alarm, worker, source, store, channel, message, config, spool, listen) → core → text`.
 * What modules import is `index.ts → (source, author, core) → text`. Types count like values: what a file must know of
 * another is a tie either way.
 */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

const MIDDLE = [
  "alarm",
  "worker",
  "source",
  "store",
  "channel",
  "message",
  "config",
  "spool",
  "listen",
];

/** Ties between neighbours of the middle layer. A new one is a decision: write it down here. */
const NEIGHBOURS: readonly string[] = [
  "alarm → config", // the folders are settings
  "alarm → store", // an alarm is a file and a row
  "channel → config", // a channel is opened from its settings
  "channel → message", // it delivers a rendered mail
  "listen → spool", // it writes what sources of that kind read
  "source → config", // a source is opened from its settings
  "source → spool", // it reads what a feeder wrote
  "store → config", // a database is opened from its settings
  "worker → alarm", // a worker loads a module file
  "worker → source", // detect gets a client
];

/** What the commands and the build look at first. */
const NODE_CHECK = "build/check_node.cjs";

/** Packages of Node without effects, which decisions may use. */
const PURE = ["node:crypto", "node:url"];

/** What is slow to load, and the files that may load it, on demand or because they are only loaded on demand. */
const HEAVY: { readonly [name: string]: string | readonly string[] } = {
  "@electric-sql/pglite": "src/store/embedded/database.ts",
  pg: "src/store/postgres/connect.ts",
  "@aws-sdk/client-ses": "src/channel/ses_channel.ts",
  nodemailer: ["src/channel/compose.ts", "src/channel/smtp_channel.ts"],
  saxes: "src/source/xmlrpc/read_xml.ts",
  undici: ["src/channel/http_post.ts", "src/source/http/connections.ts"],
};

interface Import {
  /** From the root of the checkout, like `src/core/json.ts`. */
  readonly from: string;
  /** Such a path too, or a package's name. */
  readonly to: string;
  readonly kind: "value" | "type" | "on demand";
}

/** Every import in a file's text, as written. Throws on one whose target is not a plain text. */
function readImports(text: string): readonly Pick<Import, "to" | "kind">[] {
  const code = text.replaceAll(/^\s*\/\*[\s\S]*?\*\//gm, "").replaceAll(/^\s*\/\/.*$/gm, "");
  const own = code.replaceAll(/"[^"\n]*"/g, '""');
  if (/(?<![.\w])import\(\s*[^\s")]/.test(own) || /(?<![.\w])require\(/.test(own))
    throw new Error("an import whose target is only known when it runs");
  const found: Pick<Import, "to" | "kind">[] = [];
  const fixed = /^(import|export)\s+(type\s)?[^"';]*?from\s+"([^"]+)"|^import\s+"([^"]+)"/gm;
  for (const [, , type, named, bare] of code.matchAll(fixed))
    found.push({ to: named ?? bare ?? "", kind: type === undefined ? "value" : "type" });
  for (const [, to = ""] of code.matchAll(/(?<![.\w])import\(\s*"([^"]+)"/g))
    found.push({ to, kind: "on demand" });
  return found;
}

function importsBelow(folder: string): readonly Import[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return files
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const path = join(ROOT, folder, file);
      return readImports(readFileSync(path, "utf8")).map(({ to, kind }) => ({
        from: relative(ROOT, path),
        to: to.startsWith(".") ? relative(ROOT, resolve(dirname(path), to)) : packageOf(to),
        kind,
      }));
    });
}

/** `undici/lib/core/util.js` → `undici` */
function packageOf(to: string): string {
  return /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to;
}

/** `src/core/model.ts` → `core`; a file directly in `src` is a part of its own, and so is `worker/child`. */
function partOf(path: string): string | undefined {
  return /^src\/(worker\/child|[^/]+)/.exec(path)?.[1];
}

/** Why an import within `src` breaks the direction, or undefined where it does not. */
function objection({ from, to }: Pick<Import, "from" | "to">): string | undefined {
  const [part, target] = [partOf(from), partOf(to)];
  if (part === undefined) return `${from} is not in src`;
  if (target === undefined) {
    const inside = to.includes("/") && /\.c?[jt]s$/.test(to);
    if (inside && (part !== "program" || to !== NODE_CHECK)) return `${from} leaves src for ${to}`;
    const isPure = ["core", "text", "author"].includes(part);
    return isPure && !PURE.includes(to) ? `${part} must not import ${to}` : undefined;
  }
  if (part === target) return undefined;
  const allowed = mayImport(part, target);
  return allowed ? undefined : `${part} must not import ${target}`;
}

function mayImport(part: string, target: string): boolean {
  if (target === "text") return part !== "program";
  if (part === "text") return false;
  // The demo is one of the commands, in an empty folder.
  if (target === "demo") return part === "cli";
  if (part === "demo" && target === "cli") return true;
  // The edges: the command line, what modules import, and the process.
  if (target === "cli") return part === "main.ts" || part === "program";
  // What runs in the workers: it is started by its path, and nothing of it is loaded in the engine.
  if (target === "worker/child") return false;
  if (part === "worker/child")
    return ["worker", "alarm", "source", "core", "index.ts"].includes(target);
  if (target === "index.ts" || target === "testing.ts") return false;
  // What tests of modules import: a run of `detect` without the engine around it.
  if (part === "testing.ts") return ["testing", "core"].includes(target);
  if (part === "testing") return ["worker", "source", "alarm", "core", "spool"].includes(target);
  if (target === "main.ts") return part === "program";
  // What modules use; the engine's own parts only check and show what comes of it.
  if (target === "author") return ["index.ts", "alarm", "source", "worker", "cli"].includes(part);
  if (part === "author") return target === "core";
  if (target === "core") return part !== "program";
  if (target === "engine") return ["cli", "demo", "main.ts"].includes(part);
  if (!MIDDLE.includes(target)) return false;
  if (MIDDLE.includes(part)) return NEIGHBOURS.includes(`${part} → ${target}`);
  if (part === "index.ts") return target === "source";
  return ["engine", "cli", "demo", "main.ts"].includes(part);
}

/** The files of a circle of imports, the first one again at its end; undefined where there is none. */
function findCircle(
  imports: readonly Pick<Import, "from" | "to">[],
): readonly string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const done = new Set<string>();
  const walk = (file: string, trail: readonly string[]): readonly string[] | undefined => {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const to of next.get(file) ?? []) {
      const circle = walk(to, [...trail, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of next.keys()) {
    const circle = walk(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

const SRC = importsBelow("src");
const ALARMS = importsBelow("alarms");

describe("imports are read from a text", () => {
  test.each([
    ["a value", 'import { a } from "./a.ts";', ["value ./a.ts"]],
    ["a type", 'import type { A } from "./a.ts";', ["type ./a.ts"]],
    ["over several lines", 'import {\n  a,\n  type B,\n} from "./a.ts";', ["value ./a.ts"]],
    ["everything", 'import * as a from "a";', ["value a"]],
    ["for its effect", 'import "./a.ts";', ["value ./a.ts"]],
    [
      "handed on",
      'export { a } from "./a.ts";\nexport type { B } from "./b.ts";',
      ["value ./a.ts", "type ./b.ts"],
    ],
    ["handed on whole", 'export * from "./a.ts";', ["value ./a.ts"]],
    ["on demand", 'const { a } = await import("./a.ts");', ["on demand ./a.ts"]],
    ["not a method of that name", "await loader.import(path);", []],
    ["not from a text", 'compile("return import(path)");', []],
    ["not from a comment", '/** `import a from "b"` */\n// import c from "d";', []],
    ["not from an export of its own", 'export const a = 1;\nconst b = "from";', []],
  ])("%s", (_, text, expected) => {
    expect(readImports(text).map(({ kind, to }) => `${kind} ${to}`)).toEqual(expected);
  });

  test.each(["await import(path);", "await import(`./$" + "{a}.ts`);", 'require("a");'])(
    "%s cannot be read",
    (text) => {
      expect(() => readImports(text)).toThrow("only known when it runs");
    },
  );

  test("those of the engine are found", () => {
    expect(SRC.length).toBeGreaterThan(100);
    const parts = new Set(SRC.flatMap(({ from, to }) => [partOf(from), partOf(to)]));
    const edges = ["cli", "demo", "program", "text", "worker/child", "main.ts", "index.ts"];
    for (const part of [...MIDDLE, "core", "engine", ...edges]) expect(parts).toContain(part);
  });
});

describe("the direction", () => {
  test.each([
    ["src/core/a.ts", "src/core/b.ts", undefined],
    ["src/core/a.ts", "node:crypto", undefined],
    ["src/core/a.ts", "node:fs", "core must not import node:fs"],
    ["src/core/a.ts", "valibot", "core must not import valibot"],
    ["src/core/a.ts", "src/config/b.ts", "core must not import config"],
    ["src/store/a.ts", "pg", undefined],
    ["src/store/a.ts", "src/core/b.ts", undefined],
    ["src/store/a.ts", "src/source/b.ts", "store must not import source"],
    ["src/source/a.ts", "src/worker/b.ts", "source must not import worker"],
    ["src/worker/a.ts", "src/source/b.ts", undefined],
    ["src/alarm/a.ts", "src/worker/b.ts", "alarm must not import worker"],
    ["src/message/a.ts", "src/engine/b.ts", "message must not import engine"],
    ["src/worker/a.ts", "src/index.ts", "worker must not import index.ts"],
    ["src/engine/a.ts", "src/store/b.ts", undefined],
    ["src/engine/a.ts", "src/cli/b.ts", "engine must not import cli"],
    ["src/engine/a.ts", "src/demo/b.ts", "engine must not import demo"],
    ["src/cli/a.ts", "src/demo/b.ts", undefined],
    ["src/cli/a.ts", "src/main.ts", "cli must not import main.ts"],
    ["src/core/a.ts", "src/text/b.ts", undefined],
    ["src/text/a.ts", "src/core/b.ts", "text must not import core"],
    ["src/text/a.ts", "node:fs", "text must not import node:fs"],
    ["src/author/a.ts", "src/text/b.ts", undefined],
    ["src/author/a.ts", "node:fs", "author must not import node:fs"],
    ["src/author/a.ts", "src/source/b.ts", "author must not import source"],
    ["src/index.ts", "src/author/a.ts", undefined],
    ["src/engine/a.ts", "src/author/b.ts", "engine must not import author"],
    ["src/demo/a.ts", "src/cli/b.ts", undefined],
    ["src/demo/a.ts", "src/index.ts", "demo must not import index.ts"],
    ["src/index.ts", "src/store/b.ts", "index.ts must not import store"],
    ["src/cli/a.ts", "src/index.ts", "cli must not import index.ts"],
    ["src/testing/a.ts", "src/worker/b.ts", undefined],
    ["src/testing/a.ts", "src/store/b.ts", "testing must not import store"],
    ["src/cli/a.ts", "src/testing/b.ts", "cli must not import testing"],
    ["src/worker/child/a.ts", "src/index.ts", undefined],
    ["src/worker/child/a.ts", "src/worker/b.ts", undefined],
    ["src/worker/child/a.ts", "src/config/b.ts", "worker/child must not import config"],
    ["src/worker/child/a.ts", "src/store/b.ts", "worker/child must not import store"],
    ["src/worker/a.ts", "src/worker/child/b.ts", "worker must not import worker/child"],
    ["src/cli/a.ts", "src/worker/child/b.ts", "cli must not import worker/child"],
    ["src/listen/a.ts", "src/spool/b.ts", undefined],
    ["src/listen/a.ts", "src/config/b.ts", "listen must not import config"],
    ["src/source/a.ts", "src/spool/b.ts", undefined],
    ["src/source/a.ts", "src/listen/b.ts", "source must not import listen"],
    ["src/spool/a.ts", "src/core/b.ts", undefined],
    ["src/spool/a.ts", "src/source/b.ts", "spool must not import source"],
    ["src/cli/a.ts", "src/listen/b.ts", undefined],
    ["src/program/a.ts", "src/main.ts", undefined],
    ["src/program/a.ts", "src/store/b.ts", "program must not import store"],
    ["src/program/a.ts", "build/check_node.cjs", undefined],
    ["src/cli/a.ts", "build/check_node.cjs", "src/cli/a.ts leaves src for build/check_node.cjs"],
    ["src/new/a.ts", "src/store/b.ts", "new must not import store"],
    ["src/cli/a.ts", "alarms/lib/b.ts", "src/cli/a.ts leaves src for alarms/lib/b.ts"],
  ])("of %s importing %s is judged", (from, to, expected) => {
    expect(objection({ from, to })).toBe(expected);
  });

  test("is kept by every file of the engine", () => {
    expect(SRC.flatMap((each) => objection(each) ?? [])).toEqual([]);
  });

  test("the ties between neighbours are those written down, and each of them is there", () => {
    const ties = SRC.flatMap(({ from, to }) => {
      const [part, target] = [partOf(from) ?? "", partOf(to) ?? ""];
      const isTie = part !== target && MIDDLE.includes(part) && MIDDLE.includes(target);
      return isTie ? `${part} → ${target}` : [];
    });
    expect([...new Set(ties)].toSorted()).toEqual(NEIGHBOURS);
  });
});

test("of the engine's side a module's process loads no more than the words that they share", () => {
  const loaded = SRC.filter(
    ({ from, to, kind }) =>
      partOf(from) === "worker/child" && partOf(to) === "worker" && kind !== "type",
  );
  expect([...new Set(loaded.map(({ to }) => to))].toSorted()).toEqual([
    "src/worker/frames.ts",
    "src/worker/protocol.ts",
  ]);
});

describe("circles", () => {
  test("are found", () => {
    const imports = ["a b", "b c", "c d", "d b", "a d"].map((each) => {
      const [from = "", to = ""] = each.split(" ");
      return { from, to };
    });
    expect(findCircle(imports)).toEqual(["b", "c", "d", "b"]);
    expect(findCircle(imports.slice(0, 3))).toBeUndefined();
  });

  test("there are none", () => {
    expect(findCircle([...SRC, ...ALARMS])).toBeUndefined();
  });
});

describe("packages", () => {
  const manifest: unknown = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  const declared = (kind: string): readonly string[] =>
    Object.keys(Object(Reflect.get(Object(manifest), kind)));
  const isPackage = (to: string): boolean =>
    !to.startsWith("node:") && partOf(to) === undefined && to !== NODE_CHECK;
  const used = new Set(SRC.map(({ to }) => to).filter(isPackage));

  test("those that the engine imports, and no others, are installed with it", () => {
    expect(declared("dependencies").toSorted()).toEqual([...used].toSorted());
  });

  test.each(Object.entries(HEAVY))("%s is loaded on demand, by these files only", (name, only) => {
    const users = SRC.filter(({ to, kind }) => to === name && kind !== "type");
    expect(new Set(users.map(({ from }) => from))).toEqual(new Set([only].flat()));
    const loading = new Set(users.flatMap(({ from, kind }) => (kind === "value" ? [from] : [])));
    for (const file of loading)
      for (const { from, to, kind } of SRC) if (to === file && kind === "value") loading.add(from);
    // What nothing imports is started itself, and would load the package with all that it needs at once.
    const started = [...loading].filter((file) => SRC.every(({ to }) => to !== file));
    expect(started).toEqual([]);
  });
});

describe("the shipped alarms", () => {
  /** Why a file of `alarms` must not import this, or undefined where it may. */
  function objectionTo({ from, to }: Pick<Import, "from" | "to">): string | undefined {
    if (to === "swf-alarms" || builtinModules.includes(to.replace(/^node:/, ""))) return undefined;
    return to.startsWith("alarms/lib/") ? undefined : `${from} must not import ${to}`;
  }

  test.each([
    ["swf-alarms", undefined],
    ["node:path", undefined],
    ["alarms/lib/a.ts", undefined],
    ["alarms/other.ts", "alarms/a.ts must not import alarms/other.ts"],
    ["src/core/json.ts", "alarms/a.ts must not import src/core/json.ts"],
    ["pg", "alarms/a.ts must not import pg"],
  ])("importing %s are judged", (to, expected) => {
    expect(objectionTo({ from: "alarms/a.ts", to })).toBe(expected);
  });

  test("import what any module elsewhere can: swf-alarms, their own lib, and Node", () => {
    expect(ALARMS.length).toBeGreaterThan(5);
    expect(ALARMS.flatMap((each) => objectionTo(each) ?? [])).toEqual([]);
  });
});
