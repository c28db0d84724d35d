import { dirname, extname } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import type { ModuleFile } from "../../alarm/discover.ts";
import { realPath, writableFault } from "../../alarm/permissions.ts";
import { parseJson } from "../../source/parse_json.ts";
import { commonjsRunner, type ImportLater, type RunCommonjs, readFile } from "./commonjs_files.ts";
import { resolveFile } from "./resolve.ts";

/**
 * The modules of this process: each file is read, linked and run once, whoever imports it. Files are loaded
 * here, packages and Node's own modules by Node.
 */
export class ModuleGraph {
  readonly #linked = new Map<string, vm.Module>();
  readonly #evaluations = new WeakMap<vm.Module, Promise<void>>();
  readonly #helpers: vm.Module;
  readonly #runCommonjs: RunCommonjs;
  /** The same for all modules of a tick. */
  #allowWritable = false;
  /** One graph is linked at a time: another one must not build on half of it. */
  #turn: Promise<unknown> = Promise.resolve();

  /** `helpers` are the exports of "swf-alarms". */
  constructor(helpers: object) {
    this.#helpers = moduleOf(helpers, "swf-alarms");
    this.#runCommonjs = commonjsRunner(
      helpers,
      (path) => this.#importFrom(path),
      (path) => this.#check(path),
    );
  }

  /** The module's exports, once its top level has run. */
  async exportsOf({ path, allowWritable }: ModuleFile): Promise<object> {
    this.#allowWritable = allowWritable === true;
    return (await this.#load(realPath(path))).namespace;
  }

  async #load(path: string): Promise<vm.Module> {
    const linking = this.#turn.then(() => this.#link(path));
    this.#turn = linking.catch(() => {});
    return await this.#evaluated(await linking);
  }

  /** A module that is waiting at its top level cannot be evaluated again. */
  async #evaluated(module: vm.Module): Promise<vm.Module> {
    const evaluation = this.#evaluations.get(module) ?? module.evaluate();
    this.#evaluations.set(module, evaluation);
    await evaluation;
    return module;
  }

  async #link(path: string): Promise<vm.Module> {
    const known = this.#linked.get(path);
    if (known !== undefined) return known;
    // Kept only once all of them are linked.
    const opened = new Map<string, Promise<vm.Module>>();
    const open = (file: string): Promise<vm.Module> => {
      const module = opened.get(file) ?? this.#open(file);
      opened.set(file, module);
      return module;
    };
    const root = await open(path);
    await root.link(async (specifier, { identifier }) => {
      const file = resolveFile(specifier, identifier);
      if (file === undefined) return await this.#provided(specifier, identifier);
      const linked = this.#linked.get(file);
      // Node's own message does not say why it failed.
      if (linked?.status === "errored") throw linked.error;
      return linked ?? (await open(file));
    });
    for (const [file, module] of opened) this.#linked.set(file, await module);
    return root;
  }

  async #provided(specifier: string, importer: string): Promise<vm.Module> {
    if (specifier === "swf-alarms") return this.#helpers;
    return moduleOf(await importByNode(specifier, importer), specifier);
  }

  /** A module that is neither linked nor run. */
  async #open(path: string): Promise<vm.Module> {
    this.#check(path);
    const extension = extname(path);
    if (extension === ".json") return moduleOf({ default: readFile(path, parseJson) }, path);
    const source = readFile(path, String);
    const text = extension.endsWith("ts") ? await withoutTypes(source, path) : source;
    if (!extension.startsWith(".m")) {
      const ran = this.#runCommonjs(path, text);
      if (ran !== undefined) return moduleOf(namesOf(ran.exports), path);
    }
    try {
      return new vm.SourceTextModule(text, {
        identifier: path,
        initializeImportMeta: (meta) => {
          const url = pathToFileURL(path).href;
          Object.assign(meta, { url, filename: path, dirname: dirname(path) });
        },
        importModuleDynamically: this.#importFrom(path),
      });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // Node does not tell the place; this throws an error that does, for most of them.
      await withoutTypes(text, path);
      throw new SyntaxError(`${path}: ${error.message}`, { cause: error });
    }
  }

  /** Throws where other users could change what the file holds. */
  #check(path: string): void {
    const fault = this.#allowWritable ? undefined : writableFault(path);
    if (fault !== undefined) throw new Error(fault);
  }

  #importFrom(importer: string): ImportLater {
    return async (specifier) => {
      const file = resolveFile(specifier, importer);
      if (file !== undefined) return await this.#load(file);
      const module = await this.#provided(specifier, importer);
      if (module.status === "unlinked") await module.link(() => Promise.reject());
      return await this.#evaluated(module);
    };
  }
}

async function withoutTypes(source: string, path: string): Promise<string> {
  const { stripTypes } = await import("./strip_types.ts");
  return stripTypes(source, path);
}

/** As if the importer, which Node has not loaded, imported it. */
async function importByNode(specifier: string, importer: string): Promise<object> {
  const load = vm.compileFunction("return import(specifier)", ["specifier"], {
    filename: importer,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  return await load(specifier);
}

function moduleOf(exports: object, identifier: string): vm.Module {
  const names = Object.keys(exports);
  const set = function (this: vm.SyntheticModule): void {
    for (const name of names) this.setExport(name, Reflect.get(exports, name));
  };
  return new vm.SyntheticModule(names, set, { identifier });
}

/** The exports of a CommonJS file for an import. */
function namesOf(exports: unknown): object {
  const named = typeof exports === "object" && exports !== null ? { ...exports } : {};
  return { ...named, default: exports };
}
