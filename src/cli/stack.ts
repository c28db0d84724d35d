import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A stack trace with places in our sources, such as `src/engine/tick.ts:88:12`, instead of the built
 * files. Maps are read only here, as Node's own source map support costs each start 14 ms.
 */
export function stackInSources(stack: string): string {
  return stack
    .replaceAll(`${ROOT}dist/`, "dist/")
    .replace(/([^\s()]+\.js):(\d+):(\d+)/g, (place, file: string, line, column) => {
      try {
        return sourceOf(file, Number(line), Number(column)) ?? place;
      } catch {
        // No readable map: the place in the built file is still of use.
        return place;
      }
    });
}

function sourceOf(file: string, line: number, column: number): string | undefined {
  if (!file.startsWith("dist/")) return undefined;
  const map = new SourceMap(JSON.parse(readFileSync(`${ROOT}${file}.map`, "utf8")));
  const entry = map.findEntry(line - 1, column - 1);
  if (!("originalSource" in entry)) return undefined;
  const { originalSource, originalLine, originalColumn } = entry;
  const path = fileURLToPath(new URL(originalSource, pathToFileURL(`${ROOT}${file}`)));
  return `${path.replace(ROOT, "")}:${originalLine + 1}:${originalColumn + 1}`;
}
