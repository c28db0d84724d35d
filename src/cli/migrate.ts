import type { Command } from "commander";
import { migrate } from "../store/migrate.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

/** `migrate`: brings the database up to date. */
export function declare(command: Command): void {
  addJsonOption(addConfigOption(command))
    .description(
      "Applies pending migrations. Tables that Django made are not changed. Safe to repeat.",
    )
    .action(async (options: ConfigOption & JsonOption) => {
      const report = await withDatabase(readConfig(options), migrate, "migrate");
      const applied = report.applied.map((name) => `applied ${name}`);
      const lines = [...applied, ...report.notes];
      print(options, report, applied.length === 0 ? ["the database is up to date"] : lines);
    });
}
