import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Plugin } from "rolldown";

/**
 * Writes `THIRD_PARTY.txt` beside the bundles: the licences of the packages whose code is in any of those
 * made so far. With it goes the word that the bundles are CommonJS, in a package that is not.
 */
export function thirdParty(): Plugin {
  const folders = new Set<string>();
  return {
    name: "third party licences",
    generateBundle(_, bundle) {
      for (const part of Object.values(bundle)) {
        if (part.type !== "chunk") continue;
        for (const [id, { renderedLength }] of Object.entries(part.modules)) {
          const folder = renderedLength > 0 ? packageFolder(id) : undefined;
          if (folder !== undefined) folders.add(folder);
        }
      }
      const source = [...folders]
        .toSorted()
        .map(licenceOf)
        .join(`\n${"-".repeat(80)}\n\n`);
      this.emitFile({ type: "asset", fileName: "THIRD_PARTY.txt", source });
      this.emitFile({
        type: "asset",
        fileName: "package.json",
        source: '{ "type": "commonjs" }\n',
      });
    },
  };
}

/** The package that a bundled file is of; undefined for the engine's own. */
function packageFolder(id: string): string | undefined {
  return /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
}

/** Throws where a package has no licence to show: it must not be bundled then. */
function licenceOf(folder: string): string {
  const { name, version }: { name?: unknown; version?: unknown } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|$)/i.test(entry));
  const text =
    file === undefined ? sectionOfReadme(folder) : readFileSync(join(folder, file), "utf8");
  if (text === undefined)
    throw new Error(
      `no licence found in ${dirname(folder)}/${String(name)}; leave it out of the bundle`,
    );
  return `${String(name)} ${String(version)}\n\n${text.trim()}\n`;
}

function sectionOfReadme(folder: string): string | undefined {
  const path = join(folder, "README.md");
  if (!existsSync(path)) return undefined;
  return /^#+ licen[cs]e$([\s\S]*)/im.exec(readFileSync(path, "utf8"))?.[1];
}
