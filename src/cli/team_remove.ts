import type { Command } from "commander";
import type { Transaction } from "../store/database.ts";
import { listTeams, removeTeam } from "../store/teams.ts";
import { requireKnown } from "./alarms.ts";
import { printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { parseTeamName } from "./team_set.ts";

/** `team remove`: `team set` brings the team back. */
export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<name>", "name of the team, such as @shift", parseTeamName)
    .action(async (name: string, options: ConfigOption) => {
      const remove = async (tx: Transaction): Promise<void> => {
        requireKnown("team", [name], [...(await listTeams(tx)).keys()]);
        await removeTeam(tx, name, Date.now() / 1000);
      };
      await withDatabase(readConfig(options), (db) => db.transaction(remove), "write");
      printLines([`removed ${name}`]);
    });
}
