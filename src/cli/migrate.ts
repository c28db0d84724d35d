import type { Command } from "commander";
import { staleAfter } from "../engine/deadline.ts";
import { migrate } from "../store/migrate.ts";
import { openDatabase } from "../store/open.ts";
import { printJson, printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig } from "./session.ts";

interface MigrateOptions extends ConfigOption {
  readonly json?: boolean;
}

/** `migrate`: brings the database up to date. */
export function declare(command: Command): void {
  addConfigOption(command)
    .description(
      "Applies pending migrations. Tables that Django made are not changed. Safe to repeat.",
    )
    .option("--json", "print as JSON")
    .action(async (options: MigrateOptions) => {
      const { config } = readConfig(options);
      const db = await openDatabase(config.db, staleAfter(config.engine.tickTimeout));
      try {
        const report = await migrate(db);
        if (options.json === true) return printJson(report);
        const applied = report.applied.map((name) => `applied ${name}`);
        printLines(
          applied.length === 0 ? ["the database is up to date"] : [...applied, ...report.notes],
        );
      } finally {
        await db.close();
      }
    });
}
