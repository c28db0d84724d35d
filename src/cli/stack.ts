import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * A stack trace with places in our sources, such as `src/engine/tick.ts:88:12`, instead of the built
 * files. Maps are read only here, as Node's own source map support costs each start 14 ms.
 */
export function stackInSources(stack: string): string {
  return stack
    .replaceAll(`${ROOT}dist/`, "dist/")
    .replace(/(?<=[ (])(dist\/\S+\.js):(\d+):(\d+)/g, (place, file: string, line, column) => {
      try {
        const map = new SourceMap(JSON.parse(readFileSync(`${ROOT}${file}.map`, "utf8")));
        const origin = map.findOrigin(Number(line), Number(column));
        if (!("fileName" in origin)) return place;
        return `${join(file, "..", origin.fileName)}:${origin.lineNumber}:${origin.columnNumber}`;
      } catch {
        // No readable map: the place in the built file is still of use.
        return place;
      }
    });
}
