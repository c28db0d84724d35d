import { statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Where a compiled file's name may stand for its source. */
const SOURCES: readonly (readonly [RegExp, string])[] = [
  [/\.js$/, ".ts"],
  [/\.mjs$/, ".mts"],
  [/\.cjs$/, ".cts"],
];

const LEFT_OUT = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"];

/**
 * The file that a module means: a path relative to it, an absolute one, or a file URL, with or without an
 * extension. Undefined for what is no file of its own: a package, or one of Node's. Throws where there is
 * no such file.
 */
export function resolveFile(specifier: string, importer: string): string | undefined {
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
  if (found !== undefined) return found;
  throw new Error(`Cannot find module '${specifier}' imported from ${importer}`);
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
