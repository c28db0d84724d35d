import type { AlarmRow } from "../core/model.ts";

type AlarmListItem =
  | { readonly kind: "run" | "archived"; readonly row: AlarmRow }
  /** The row is wrong, its module is missing, or an older row has the same alarm. */
  | { readonly kind: "unusable" | "second row"; readonly row: AlarmRow; readonly message: string };

/**
 * Modules × rows, in the order of `entry_id`. A row's module is looked up among the names in the folders, so that
 * no row can name a path. For each of `newModules` a row is made, with mail off.
 */
export function listAlarms(modules: readonly string[], rows: readonly AlarmRow[]) {
  const found = new Set(modules);
  const taken = new Map<string, AlarmRow>();
  const items = rows
    .toSorted((a, b) => Number(a.entryId > b.entryId) - Number(a.entryId < b.entryId))
    .map((row): AlarmListItem => {
      if (row.archived) return { kind: "archived", row };
      const twin = taken.get(row.name);
      if (twin !== undefined) {
        const message = `two rows configure the alarm ${row.name}; row ${twin.id} is used; archive row ${row.id}`;
        return { kind: "second row", row, message };
      }
      taken.set(row.name, row);
      if (row.blocker !== undefined) return { kind: "unusable", row, message: row.blocker };
      if (!found.has(row.module)) return { kind: "unusable", row, message: noModule(row, modules) };
      return { kind: "run", row };
    });
  const named = new Set(rows.map((row) => row.name));
  const newModules = modules.filter((name) => !named.has(name));
  return { items, newModules };
}

function noModule(row: AlarmRow, modules: readonly string[]): string {
  const known = modules.length === 0 ? "they are empty" : `they have: ${modules.join(", ")}`;
  return `there is no module ${JSON.stringify(row.module)} in the alarms folders (${known}); add the file, or archive the row`;
}
