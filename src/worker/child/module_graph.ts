import { readFileSync } from "node:fs";
import { dirname, extname } from "node:path";
import { pathToFileURL } from "node:url";
import vm from "node:vm";
import type { ModuleFile } from "../../alarm/discover.ts";
import { writableFault } from "../../alarm/permissions.ts";
import { CommonjsFiles } from "./commonjs_files.ts";
import { realPath, resolveFile } from "./resolve.ts";

/** What `import … from "swf-alarms"` gives, by name. */
export interface Helpers {
  readonly [name: string]: unknown;
}

/**
 * The modules of this process: each file is read, linked and run once, whoever imports it. Files are
 * loaded here, packages and Node's own modules by Node.
 */
export class ModuleGraph {
  readonly #linked = new Map<string, vm.Module>();
  readonly #evaluations = new WeakMap<vm.Module, Promise<void>>();
  readonly #helperModule: vm.Module;
  readonly #helperValues: Helpers;
  readonly #commonjs: CommonjsFiles;
  /** The same for all modules of a tick. */
  #allowWritable = false;
  /** One graph is linked at a time: what one leaves half done another must not build on. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(helpers: Helpers) {
    this.#helperValues = helpers;
    this.#helperModule = moduleOf(helpers, "swf-alarms");
    this.#commonjs = new CommonjsFiles(
      strict(helpers),
      (path) => this.#importLater(path),
      (path) => this.#check(path),
    );
  }

  /** What the module exports, when its top level has run. Rejects with what is wrong with it. */
  async exportsOf({ path, allowWritable }: ModuleFile): Promise<object> {
    this.#allowWritable = allowWritable === true;
    return (await this.#load(realPath(path))).namespace;
  }

  async #load(path: string): Promise<vm.Module> {
    const linking = this.#turn.then(() => this.#link(path));
    this.#turn = linking.catch(() => {});
    return await this.#evaluated(await linking);
  }

  async #evaluated(module: vm.Module): Promise<vm.Module> {
    const evaluation = this.#evaluations.get(module) ?? module.evaluate();
    this.#evaluations.set(module, evaluation);
    await evaluation;
    return module;
  }

  async #link(path: string): Promise<vm.Module> {
    const known = this.#linked.get(path);
    if (known !== undefined) return known;
    // Only what is linked in whole is kept.
    const opened = new Map<string, Promise<vm.Module>>();
    const open = (file: string): Promise<vm.Module> => {
      const module = opened.get(file) ?? this.#open(file);
      opened.set(file, module);
      return module;
    };
    const root = await open(path);
    try {
      await root.link(async (specifier, { identifier }) => {
        const file = this.#isOwn(specifier) ? undefined : resolveFile(specifier, identifier);
        if (file === undefined) return await this.#provided(specifier, identifier);
        const known = this.#linked.get(file);
        // Node would say that it is broken, not why.
        if (known?.status === "errored") throw known.error;
        return known ?? (await open(file));
      });
    } catch (error) {
      throw this.#namesWhatThereIs(error);
    }
    for (const [file, module] of opened) this.#linked.set(file, await module);
    return root;
  }

  #isOwn(specifier: string): boolean {
    return specifier === "swf-alarms";
  }

  async #provided(specifier: string, importer: string): Promise<vm.Module> {
    if (this.#isOwn(specifier)) return this.#helperModule;
    return moduleOf(await importByNode(specifier, importer), specifier);
  }

  /** A module that is neither linked nor run. */
  async #open(path: string): Promise<vm.Module> {
    this.#check(path);
    const extension = extname(path);
    if (!/^\.[cm]?[jt]s$|^\.json$/.test(extension))
      return moduleOf(await importByNode(pathToFileURL(path).href, path), path);
    const source = readFileSync(path, "utf8").replace(/^\ufeff/, "");
    if (extension === ".json") return moduleOf({ default: JSON.parse(source) }, path);
    const text = /ts$/.test(extension) ? await withoutTypes(source, path) : source;
    if (!extension.startsWith(".m")) {
      const ran = this.#commonjs.run(path, text);
      if (ran !== undefined) return moduleOf(namesOf(ran.exports), path);
    }
    try {
      return new vm.SourceTextModule(text, {
        identifier: path,
        initializeImportMeta: (meta) => {
          Object.assign(meta, {
            url: pathToFileURL(path).href,
            filename: path,
            dirname: dirname(path),
          });
        },
        importModuleDynamically: this.#importLater(path),
      });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const { placeOf } = await import("./strip_types.ts");
      throw placeOf(error, text, path);
    }
  }

  /** Throws where other users could change what the file holds. */
  #check(path: string): void {
    const fault = this.#allowWritable ? undefined : writableFault(path);
    if (fault !== undefined) throw new Error(fault);
  }

  #importLater(importer: string): (specifier: string) => Promise<vm.Module> {
    return async (specifier) => {
      const file = this.#isOwn(specifier) ? undefined : resolveFile(specifier, importer);
      if (file !== undefined) return await this.#load(file);
      const module = await this.#provided(specifier, importer);
      if (module.status === "unlinked") await module.link(() => Promise.reject());
      return await this.#evaluated(module);
    };
  }

  /** Node says which name is missing, not which there are. */
  #namesWhatThereIs(error: unknown): unknown {
    const message = error instanceof SyntaxError ? error.message : "";
    const [, name] = /'swf-alarms' does not provide an export named '([^']+)'/.exec(message) ?? [];
    return name === undefined ? error : noSuchName(name, this.#helperValues);
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

/** A module with these exports. */
function moduleOf(exports: object, identifier: string): vm.Module {
  const names = Object.keys(exports);
  const set = function (this: vm.SyntheticModule): void {
    for (const name of names) this.setExport(name, Reflect.get(exports, name));
  };
  return new vm.SyntheticModule(names, set, { identifier });
}

/** What a file in the older style exports, for an importer in the newer one. */
function namesOf(exports: unknown): object {
  const named = typeof exports === "object" && exports !== null ? { ...exports } : {};
  return { ...named, default: exports };
}

/** What loaders ask of any module, whether it has it or not. */
const ASKED_OF_ALL = ["default", "then", "__esModule"];

/** A name that is not there is an error where it is used, not `undefined`: modules are not type-checked. */
function strict(helpers: Helpers): object {
  return new Proxy(helpers, {
    get: (target, key) => {
      if (typeof key === "string" && !(key in target) && !ASKED_OF_ALL.includes(key))
        throw noSuchName(key, target);
      return Reflect.get(target, key);
    },
  });
}

function noSuchName(name: string, helpers: Helpers): Error {
  const names = Object.keys(helpers).join(", ");
  return new Error(`"swf-alarms" exports no ${name}; it exports ${names} and types`);
}
