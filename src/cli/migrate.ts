import { type Command, Option } from "commander";
import { migrate } from "../store/migrate.ts";
import { addJsonOption, type JsonOption, print } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface MigrateOptions extends ConfigOption, JsonOption {
  readonly embedded?: boolean;
}

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command))
    .description(
      "Applies pending migrations. Tables that Django made are not changed. Safe to repeat.",
    )
    .option("--embedded", "do nothing if the database is a shared one")
    .addOption(
      new Option("--dsn <dsn>", "log in with this, as another role than that of [db]").conflicts(
        "embedded",
      ),
    )
    .action(async (options: MigrateOptions) => {
      const read = readConfig(options);
      if (options.embedded === true && read.config.db.kind !== "embedded") {
        print(options, { tables: [], applied: [], notes: [] }, []);
        return;
      }
      const report = await withDatabase(read, migrate, "migrate");
      const { tables, applied, notes } = report;
      print(options, report, [
        ...tables.map((t) => `${t.state} ${t.table}, database ${t.database}, role ${t.role}`),
        ...applied.map((name) => `applied ${name}`),
        ...(applied.length === 0 ? ["the database is up to date"] : notes),
      ]);
    });
}
