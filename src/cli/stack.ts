import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PLACE = /([^\s()]+\.js):(\d+):(\d+)/g;

/**
 * A stack trace with the places in our sources, such as `src/engine/tick.ts:88:12`, instead of those in
 * the built files. The maps are read only now: Node's own support for them costs each start 14 ms.
 */
export function stackInSources(stack: string): string {
  const dist = `${ROOT}dist/`;
  return stack
    .split(dist)
    .map((part, index) => (index === 0 ? part : `dist/${part}`))
    .join("")
    .replace(PLACE, (place, file: string, line: string, column: string) => {
      try {
        return sourceOf(file, Number(line), Number(column)) ?? place;
      } catch {
        // Without a map that can be read the place in the built file is still of use.
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
