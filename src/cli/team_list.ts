import type { Command } from "commander";
import { listTeams } from "../store/teams.ts";
import { addJsonOption, type JsonOption, print, renderTable } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";

export function declare(command: Command): void {
  addJsonOption(addConfigOption(command)).action(async (options: ConfigOption & JsonOption) => {
    const teams = [...(await withDatabase(readConfig(options), listTeams)).values()];
    const rows = teams.map(({ name, title, members }) => [name, title, members.join(" ") || "-"]);
    const facts = teams.map(({ name: team, ...rest }) => ({ team, ...rest }));
    print(options, { teams: facts }, renderTable(["TEAM", "TITLE", "MEMBERS"], rows, "no teams"));
  });
}
