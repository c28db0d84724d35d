import { parseChannels } from "./channels.ts";
import type { Config, Surroundings } from "./config.ts";
import { parseDb } from "./db.ts";
import { findLogPath, parseEngine } from "./engine.ts";
import { isTable, unknownKeys } from "./issue.ts";
import { parseRetention } from "./retention.ts";
import { parseSources } from "./sources.ts";
import { parseToml, TomlFault } from "./toml.ts";

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      readonly faults: readonly string[];
      readonly logPath: string | undefined;
    };

const SECTIONS = ["engine", "sources", "db", "email", "channels", "retention"];

/** The text of a configuration file as settings, or every fault in it at once, each ready to show. */
export function parseConfig(tomlText: string, around: Surroundings): ParsedConfig {
  const faults: string[] = [];
  const table = readTables(tomlText, faults);
  faults.push(...unknownKeys([], table, SECTIONS));
  const engine = parseEngine(table.engine ?? {}, around, faults);
  const db = parseDb(table.db ?? {}, around, faults);
  const delivery = parseChannels(table.email, table.channels ?? {}, around, faults);
  const sources = parseSources(table.engine, table.sources ?? {}, around, faults);
  const retention = parseRetention(table.retention ?? {}, faults);
  const isWhole = engine !== undefined && db !== undefined && retention !== undefined;
  if (faults.length > 0 || !isWhole)
    // Services and mail may use the same proxy.
    return { ok: false, faults: [...new Set(faults)], logPath: findLogPath(table.engine, around) };
  return { ok: true, config: { engine, sources, db, ...delivery, retention } };
}

/** Empty where the text is not TOML. */
function readTables(text: string, faults: string[]): { readonly [name: string]: unknown } {
  try {
    const table = parseToml(text);
    if (isTable(table)) return table;
  } catch (error) {
    if (!(error instanceof TomlFault)) throw error;
    faults.push(error.message);
  }
  return {};
}
