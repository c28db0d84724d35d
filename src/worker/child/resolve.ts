import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isFile } from "../../alarm/discover.ts";
import { realPath } from "../../alarm/permissions.ts";
import { packageFile } from "./package_file.ts";

const EXTENSIONS = [".js", ".mjs", ".cjs", ".ts", ".mts", ".cts", ".json"];

/**
 * The file that a specifier names: a relative or absolute path or a file URL, with or without an extension, or
 * a file that the engine ships. Undefined for a package, "swf-alarms" and Node's own modules. Throws if there is
 * no such file.
 */
export function resolveFile(specifier: string, importer: string): string | undefined {
  const shipped = packageFile(specifier, importer);
  if (shipped !== undefined) return realPath(shipped);
  if (!/^(\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) return undefined;
  const wanted = specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier;
  const path = resolve(dirname(importer), wanted);
  const candidates = [
    path,
    // The name of a compiled file may stand for its source.
    path.replace(/\.([cm]?)js$/, ".$1ts"),
    ...EXTENSIONS.map((extension) => path + extension),
    ...EXTENSIONS.map((extension) => `${path}/index${extension}`),
  ];
  const found = candidates.find(isFile);
  if (found !== undefined) return realPath(found);
  throw new Error(`Cannot find module '${specifier}' (a regular file) imported from ${importer}`);
}
