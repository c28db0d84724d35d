import type { SettingsTable, SettingsTables, Surroundings } from "../config/config.ts";
import { chooseKind, type Kinds } from "../config/kinds.ts";
import { ExpectedError } from "../core/expected_error.ts";
import { http } from "./http.ts";
import type { SourceOpener } from "./source_kind.ts";
import { spool } from "./spool.ts";
import { xmlrpc } from "./xmlrpc.ts";

/** Every kind of service, by the `kind` of its table. */
export const KINDS: Kinds<SourceOpener> = { http, spool, xmlrpc };

/**
 * The sources of the configuration, by name. Throws ExpectedError if one cannot be used any more, such as when its
 * `ca_file` was removed after the configuration was read.
 */
export function readSources(
  { tables, around }: SettingsTables,
  kinds = KINDS,
): ReadonlyMap<string, SourceOpener> {
  const faults: string[] = [];
  const openers = [...tables].flatMap(([name, table]) => {
    const opener = readSource(table, around, kinds, faults);
    return opener === undefined ? [] : [[name, opener] as const];
  });
  if (faults.length > 0) throw new ExpectedError(faults.join("\n  "));
  return new Map(openers);
}

/** What is wrong with the settings of a source. */
export function sourceFaults(
  table: SettingsTable,
  around: Surroundings,
  kinds = KINDS,
): readonly string[] {
  const faults: string[] = [];
  readSource(table, around, kinds, faults);
  return faults;
}

function readSource(
  { path, settings }: SettingsTable,
  around: Surroundings,
  kinds: Kinds<SourceOpener>,
  faults: string[],
): SourceOpener | undefined {
  const { kind: given = "http", ...rest } = settings;
  const choice = { key: "kind", given, common: ["kind"] };
  const { kind, own } = chooseKind(kinds, choice, { path, settings: rest }, faults);
  return kind?.configure(own, { path, around, faults });
}
