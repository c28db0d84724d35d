import type { Command } from "commander";
import { listTeams } from "../store/teams.ts";
import { printJson, printLines, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

interface ListOptions extends ConfigOption {
  readonly json?: boolean;
}

/** `team list`: the mail aliases. */
export function declareTeamList(command: Command): void {
  addConfigOption(command)
    .option("--json", "print as JSON")
    .action(async (options: ListOptions) => {
      const teams = [...(await withDatabase(readConfig(options), (db) => listTeams(db))).values()];
      if (options.json === true) return printJson(teams);
      const rows = teams.map(({ name, title, members }) => [name, title, members.join(" ") || "-"]);
      printLines(renderTable(["TEAM", "TITLE", "MEMBERS"], rows, "no teams"));
    });
}
