import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";

/** `file:line:column` of one of our own built files in a stack trace. */
const PLACE = /(?:file:\/\/)?(\/[^():\n]*\/dist\/[^():\n]+\.js):(\d+):(\d+)/g;

/**
 * A stack trace with the places in our sources, such as `src/engine/tick.ts:88:12`, instead of those in
 * the built files. Only now are the maps read: Node's own support for them costs each start 14 ms.
 */
export function stackInSources(stack: string): string {
  return stack.replace(PLACE, (place, file: string, line: string, column: string) => {
    try {
      return sourceOf(file, Number(line), Number(column)) ?? place;
    } catch {
      // Without a map that can be read the place in the built file is still of use.
      return place;
    }
  });
}

function sourceOf(file: string, line: number, column: number): string | undefined {
  const map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, "utf8")));
  const entry = map.findEntry(line - 1, column - 1);
  if (!("originalSource" in entry)) return undefined;
  const { originalSource, originalLine, originalColumn } = entry;
  const path = fileURLToPath(new URL(originalSource, `file://${file}`));
  return `${path.slice(path.lastIndexOf("/src/") + 1)}:${originalLine + 1}:${originalColumn + 1}`;
}
