import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** What the linter has no rule for: no cast that nothing checks, and no silenced compiler. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The lines of a text, without what stands in comments and quotes, that do what we do not do. */
function lapses(text: string): readonly string[] {
  if (/@ts-(ignore|nocheck|expect-error)/.test(text)) return ["silences the compiler"];
  const code = text
    .replaceAll(/\/\*[\s\S]*?\*\//g, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""')
    .replaceAll(/(^|\s)\/\/.*$/gm, "")
    .replaceAll(/^(import|export)\s+(type\s+)?(\{[^}]*\}|\*\s+as\s+\w+)/gm, "")
    .replaceAll(/`[^`]*`/g, "``");
  const lines = code.split("\n").map((line) => line.trim());
  return lines.filter((line) => /[\w)\]}"`]\s+as\s+(?!const\b)[\w{[(]/.test(line));
}

describe("a cast that nothing checks", () => {
  test.each([
    ["is found", "const a = b as C;", ["const a = b as C;"]],
    ["is found behind a call", "return f(x) as unknown as C;", ["return f(x) as unknown as C;"]],
    ["to an object is found", "const a = {} as { b: number };", ["const a = {} as { b: number };"]],
    ["to a constant is none", 'for (const a of ["b"] as const) {}', []],
    ["a renamed import is none", 'import { a as b } from "c";\nimport * as d from "e";', []],
    [
      "a word in a comment is none",
      "// taken as given\n/** used as such */\nconst a = 1; // as b",
      [],
    ],
    ["a word in a text is none", 'const a = "b as c";\nconst d = `e as f`;', []],
    ["nor in a text with quotes", `const a = 'such as "b", or as "c"';`, []],
    ["a silenced compiler is found", "// @ts-ignore", ["silences the compiler"]],
  ])("%s", (_, text, expected) => {
    expect(lapses(text)).toEqual(expected);
  });

  test.each(["src", "alarms"])("is nowhere in %s", (folder) => {
    const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
    const found = files
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) => {
        const text = readFileSync(join(ROOT, folder, file), "utf8");
        return lapses(text).map((line) => `${folder}/${file}: ${line}`);
      });
    expect(found).toEqual([]);
  });
});
