import { realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { packageFile } from "./package_file.ts";

/** Where a compiled file's name may stand for its source. */
const SOURCES: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, ".ts"],
  [/\.mjs$/, ".mts"],
  [/\.cjs$/, ".cts"],
];

const LEFT_OUT = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"];

/**
 * The file that a module means: a path relative to it, an absolute one, or a file URL, with or without an
 * extension, or a file that the engine ships. Undefined for a package and for Node's own modules. Throws if
 * the file does not exist.
 */
export function resolveFile(specifier: string, importer: string): string | undefined {
  const shipped = packageFile(specifier, importer);
  if (shipped !== undefined) return realPath(shipped);
  if (!/^(\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) return undefined;
  const wanted = specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier;
  const path = resolve(dirname(importer), wanted);
  const candidates = [
    path,
    ...SOURCES.map(([compiled, source]) => path.replace(compiled, source)),
    ...LEFT_OUT.map((extension) => path + extension),
    ...LEFT_OUT.map((extension) => `${path}/index${extension}`),
  ];
  const found = candidates.find(isFile);
  if (found !== undefined) return realPath(found);
  throw new Error(`Cannot find module '${specifier}' imported from ${importer}`);
}

/**
 * The path without links, as Node has it too: a file is loaded once, whichever way it is named, and what it
 * imports is relative to where it lies. A path that leads nowhere stays as it is.
 */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
