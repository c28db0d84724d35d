import { alarmName } from "../core/event_key.ts";
import type { ModuleFile } from "./discover.ts";

/**
 * One module for each name, from the last folder that has it, sorted by name. Files of that name in earlier
 * folders are listed as replaced unless their content is the same (`isSame`). `alarm_x` does not run beside `x`.
 */
export function mergeFolders(
  folders: readonly (readonly ModuleFile[])[],
  isSame: (path: string, other: string) => boolean,
): readonly ModuleFile[] {
  const all = folders.flat();
  const used = new Map(all.map((file) => [file.name, file]));
  return [...used.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((file) => {
      const replaces = all
        .filter(({ name, path }) => name === file.name && path !== file.path)
        .map(({ path }) => path)
        .filter((path) => !isSame(file.path, path))
        .reverse();
      const other = used.get(alarmName(file.name)) ?? file;
      const error = `has the name that the row of ${other.path} has; rename one of the files`;
      const merged = other === file ? file : { error, ...file };
      return replaces.length === 0 ? merged : { ...merged, replaces };
    });
}

/** `x uses /site/x.ts, which replaces /shipped/x.ts`; empty for a module that replaces none. */
export function describeReplacement({ name, path, replaces = [] }: ModuleFile): readonly string[] {
  return replaces.length === 0
    ? []
    : [`${name} uses ${path}, which replaces ${replaces.join(" and ")}`];
}
