import { MAIN_SOURCE } from "../core/main_source.ts";
import type { SettingsTable, SettingsTables, Surroundings } from "./config.ts";
import { mainService } from "./engine.ts";
import { isTable, showPath, tableFault } from "./issue.ts";

/** The services: that of `[engine]`, which is `main`, and the tables `[sources.NAME]`. */
export function parseSources(
  engine: unknown,
  sources: unknown,
  around: Surroundings,
  faults: string[],
): SettingsTables {
  const tables = new Map<string, SettingsTable>();
  const add = (name: string, path: readonly string[], settings: unknown): void => {
    if (!isTable(settings)) {
      faults.push(tableFault(path, settings));
      return;
    }
    const table = { path, settings };
    faults.push(...around.sourceFaults(table, around));
    tables.set(name, table);
  };
  const main = mainService(engine);
  if (main !== undefined) add(MAIN_SOURCE, ["engine"], main);
  if (!isTable(sources)) faults.push(tableFault(["sources"], sources));
  for (const [name, settings] of Object.entries(isTable(sources) ? sources : {})) {
    const path = ["sources", name];
    if (name === MAIN_SOURCE)
      faults.push(`sources.${name}: this name is reserved for [engine] base_url; choose another`);
    else if (!/^[a-z][a-z0-9_]*$/.test(name))
      faults.push(`${showPath(path)}: must have a name of lower-case letters, digits and _`);
    add(name, path, settings);
  }
  return { tables, around };
}
