import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The package's folder, three levels up from `src/worker/child` and `dist/worker/child` alike. */
const PACKAGE = fileURLToPath(new URL("../../..", import.meta.url));

/**
 * The shipped file for `swf-alarms/lib/NAME` or `swf-alarms/alarms/NAME`, with or without an extension.
 * Undefined for any other specifier. Throws if there is no such file.
 */
export function packageFile(specifier: string, importer: string): string | undefined {
  if (!specifier.startsWith("swf-alarms/")) return undefined;
  // Only a file from this list: no specifier leads to another file of the package.
  const files = new Map([...filesIn("lib", "alarms/lib"), ...filesIn("alarms", "alarms")]);
  const file = files.get(specifier.replace(/\.[jt]s$/, ""));
  if (file !== undefined) return file;
  const part = /^swf-alarms\/(lib|alarms)\//.exec(specifier)?.[0];
  // Without the part in front of each name: a reason is cut after 1,000 characters.
  const names = [...files.keys()].flatMap((name) =>
    part !== undefined && name.startsWith(part) ? name.slice(part.length) : [],
  );
  const known =
    part === undefined
      ? "swf-alarms, swf-alarms/lib/NAME and swf-alarms/alarms/NAME"
      : `in ${part} ${names.join(", ")}`;
  throw new Error(
    `cannot find ${JSON.stringify(specifier)}, imported from ${importer}; the package has ${known}`,
  );
}

function filesIn(part: string, folder: string): readonly [specifier: string, path: string][] {
  return readdirSync(join(PACKAGE, folder))
    .filter((file) => file.endsWith(".ts"))
    .sort()
    .map((file) => [`swf-alarms/${part}/${file.slice(0, -3)}`, join(PACKAGE, folder, file)]);
}
