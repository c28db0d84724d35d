import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";
import { resolveFile } from "./resolve.ts";

/** The `import()` of a file. */
export type ImportLater = (specifier: string) => Promise<vm.Module>;

interface Ran {
  exports: unknown;
}

/** CommonJS files, with `require` and `exports`; each is run once. */
export class CommonjsFiles {
  readonly #ran = new Map<string, Ran>();
  readonly #helpers: object;
  readonly #importFrom: (path: string) => ImportLater;
  readonly #check: (path: string) => void;

  /** `helpers` is what `require("swf-alarms")` returns. */
  constructor(
    helpers: object,
    importFrom: (path: string) => ImportLater,
    check: (path: string) => void,
  ) {
    this.#helpers = helpers;
    this.#importFrom = importFrom;
    this.#check = check;
  }

  /** Undefined if the text does not compile as CommonJS. */
  run(path: string, text: string): Ran | undefined {
    const known = this.#ran.get(path);
    if (known !== undefined) return known;
    const body = compile(path, text, this.#importFrom(path));
    if (body === undefined) return undefined;
    const module: Ran = { exports: {} };
    this.#ran.set(path, module);
    try {
      body.call(module.exports, module.exports, this.#requireOf(path), module, path, dirname(path));
      return module;
    } catch (error) {
      this.#ran.delete(path);
      throw error;
    }
  }

  #requireOf(path: string): NodeJS.Require {
    const byNode = createRequire(path);
    const ours = (specifier: string): unknown => {
      if (specifier === "swf-alarms") return this.#helpers;
      const file = resolveFile(specifier, path);
      if (file !== undefined) this.#check(file);
      if (file === undefined || !/\.[cm]?[jt]s$/.test(file)) return byNode(file ?? specifier);
      const ran = /\.c?js$/.test(file) ? this.run(file, readFileSync(file, "utf8")) : undefined;
      if (ran === undefined)
        throw new Error(`${path} requires ${file}, which is not CommonJS; use import`);
      return ran.exports;
    };
    return Object.assign(ours, byNode);
  }
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
