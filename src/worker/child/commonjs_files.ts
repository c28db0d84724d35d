import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";
import { parseJson } from "../../source/parse_json.ts";
import { decodeText } from "../../text/decode.ts";
import { errorText } from "../../text/describe.ts";
import { resolveFile } from "./resolve.ts";

/** The `import()` of a file. */
export type ImportLater = (specifier: string) => Promise<vm.Module>;

/** The content of a file that is imported or required. Throws an error that names it. */
export function readFile<T>(path: string, parse: (text: string) => T): T {
  try {
    return parse(decodeText(readFileSync(path)));
  } catch (error) {
    throw new Error(`${path}: ${errorText(error)}`, { cause: error });
  }
}

/** Runs a CommonJS file; undefined if the text does not compile as CommonJS. */
export type RunCommonjs = (path: string, text: string) => { readonly exports: unknown } | undefined;

/**
 * CommonJS files, with `require` and `exports`; each is run once. `require("swf-alarms")` returns `helpers`;
 * `check` throws for a file that must not be loaded.
 */
export function commonjsRunner(
  helpers: object,
  importFrom: (path: string) => ImportLater,
  check: (path: string) => void,
): RunCommonjs {
  const ran = new Map<string, { exports: unknown }>();
  const run: RunCommonjs = (path, text) => {
    const known = ran.get(path);
    if (known !== undefined) return known;
    const body = compile(path, text, importFrom(path));
    if (body === undefined) return undefined;
    const module: { exports: unknown } = { exports: {} };
    ran.set(path, module);
    try {
      body.call(module.exports, module.exports, requireOf(path), module, path, dirname(path));
      return module;
    } catch (error) {
      ran.delete(path);
      throw error;
    }
  };
  const requireOf = (path: string): NodeJS.Require => {
    const byNode = createRequire(path);
    const ours = (specifier: string): unknown => {
      if (specifier === "swf-alarms") return helpers;
      const file = resolveFile(specifier, path);
      if (file !== undefined) check(file);
      if (file?.endsWith(".json")) return readFile(file, parseJson);
      if (file === undefined || !/\.[cm]?[jt]s$/.test(file)) return byNode(file ?? specifier);
      const required = /\.c?js$/.test(file) ? run(file, readFile(file, String)) : undefined;
      if (required === undefined)
        throw new Error(`${path} requires ${file}, which is not CommonJS; use import`);
      return required.exports;
    };
    return Object.assign(ours, byNode);
  };
  return run;
}

function compile(path: string, text: string, importLater: ImportLater) {
  try {
    return vm.compileFunction(
      text.replace(/^#!/, "//"),
      ["exports", "require", "module", "__filename", "__dirname"],
      { filename: path, importModuleDynamically: importLater },
    );
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
