import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder, three levels up from `src/worker/child` and `dist/worker/child` alike. */
const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));

/** The folders that modules may import from, by the name in the specifier. */
const FOLDERS = new Map([
  ["lib", "alarms/lib"],
  ["alarms", "alarms"],
]);

/**
 * The shipped file for `swf-alarms/lib/NAME` or `swf-alarms/alarms/NAME`, with or without an extension.
 * Undefined for any other specifier. Throws if there is no such file.
 */
export function packageFile(specifier: string, importer: string): string | undefined {
  const [isShipped, part = "", name = ""] =
    /^swf-alarms\/([^/]*)\/?(.*?)(?:\.[jt]s)?$/s.exec(specifier) ?? [];
  if (isShipped === undefined) return undefined;
  const missing = `cannot find ${JSON.stringify(specifier)}, imported from ${importer}`;
  const folder = FOLDERS.get(part);
  if (folder === undefined) {
    throw new Error(
      `${missing}; a module can import "swf-alarms", "swf-alarms/lib/NAME" and "swf-alarms/alarms/NAME"`,
    );
  }
  const files = readdirSync(join(PACKAGE, folder)).filter((file) => file.endsWith(".ts"));
  // Only a name from this list: no specifier leads to another file of the package.
  const names = files.map((file) => file.slice(0, -".ts".length)).sort();
  if (names.includes(name)) return join(PACKAGE, folder, `${name}.ts`);
  throw new Error(`${missing}; "swf-alarms/${part}" has ${names.join(", ")}`);
}
