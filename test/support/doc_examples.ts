import { readFileSync } from "node:fs";

const PAGE = readFileSync(new URL("../../docs/alarms.md", import.meta.url), "utf8");

/** The module in docs/alarms.md that is marked as the example of this. */
export function docExample(of: string): string {
  const [, source] =
    PAGE.split(`<!-- example: ${of} -->\n\`\`\`ts\n`, 2)[1]?.match(/^(.*?)```/su) ?? [];
  if (source === undefined) throw new Error(`docs/alarms.md has no example of ${of}`);
  return source;
}
