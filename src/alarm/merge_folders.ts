import type { ModuleFile } from "./discover.ts";

/**
 * One module for each name, from the last folder that has it, sorted by name. A file with the same content
 * (`isSame`) in an earlier folder is not worth mentioning; one with other content is listed as replaced.
 */
export function mergeFolders(
  folders: readonly (readonly ModuleFile[])[],
  isSame: (path: string, other: string) => boolean,
): readonly ModuleFile[] {
  const lastFirst = new Map<string, readonly ModuleFile[]>();
  for (const file of folders.flat())
    lastFirst.set(file.name, [file, ...(lastFirst.get(file.name) ?? [])]);
  return [...lastFirst.values()]
    .flatMap(([used, ...earlier]) => (used === undefined ? [] : replacing(used, earlier, isSame)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function replacing(
  used: ModuleFile,
  earlier: readonly ModuleFile[],
  isSame: (path: string, other: string) => boolean,
): ModuleFile {
  const replaces = earlier.map(({ path }) => path).filter((path) => !isSame(used.path, path));
  return replaces.length === 0 ? used : { ...used, replaces };
}

/** `x uses /site/x.ts, which replaces /shipped/x.ts`; nothing for a module that replaces none. */
export function describeReplacement({ name, path, replaces = [] }: ModuleFile): readonly string[] {
  return replaces.length === 0
    ? []
    : [`${name} uses ${path}, which replaces ${replaces.join(" and ")}`];
}
