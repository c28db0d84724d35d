import { readFileSync } from "node:fs";

/** The pages whose modules are tested and whose types are checked. */
const PAGES = ["alarms.md", "expectations.md", "recipes.md"];

/** The modules that are marked as examples, by what they are examples of. */
export const DOC_EXAMPLES: ReadonlyMap<string, string> = new Map(
  PAGES.flatMap((page) => [
    ...docPage(page).matchAll(/<!-- example: ([^>]*) -->\n```ts\n(.*?)```/gsu),
  ]).map(([, name = "", source = ""]) => [name, source]),
);

/** The module that is marked as the example of this. */
export function docExample(of: string): string {
  const source = DOC_EXAMPLES.get(of);
  if (source === undefined) throw new Error(`${PAGES.join(" and ")} have no example of ${of}`);
  return source;
}

export function docPage(name: string): string {
  return readFileSync(new URL(`../../docs/${name}`, import.meta.url), "utf8");
}
