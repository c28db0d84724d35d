import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DOCS = new URL("../../docs/", import.meta.url);

/** Writes what was measured into the document; the prose around it is written by hand and stays. */
export function writeDocument(parts: { readonly [name: string]: string }): void {
  const path = fileURLToPath(new URL("performance.md", DOCS));
  writeFileSync(path, withParts(readFileSync(path, "utf8"), parts));
}

export function writePicture(name: string, svg: string): void {
  writeFileSync(fileURLToPath(new URL(name, DOCS)), svg);
}

/** A document with each part between its marks, `<!-- name -->` and `<!-- /name -->`. Throws where a mark is missing. */
export function withParts(document: string, parts: { readonly [name: string]: string }): string {
  return Object.entries(parts).reduce((written, [name, text]) => {
    const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
    const [start, end] = [written.indexOf(open), written.indexOf(close)];
    if (start < 0 || end < start)
      throw new Error(
        `docs/performance.md has no place for ${name}: put ${open} and ${close} there`,
      );
    return `${written.slice(0, start + open.length)}\n${text}\n${written.slice(end)}`;
  }, document);
}
