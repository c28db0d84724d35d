import type { Command } from "commander";
import { removeTeam } from "../store/teams.ts";
import { NotFound } from "./alarms.ts";
import { printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { parseTeamName } from "./team_set.ts";

/** `team remove`: `team set` brings the team back. */
export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<name>", "name of the team, such as @shift", parseTeamName)
    .action(async (name: string, options: ConfigOption) => {
      const removed = await withDatabase(
        readConfig(options),
        (db) => db.transaction((tx) => removeTeam(tx, name, Date.now() / 1000)),
        "write",
      );
      if (!removed) throw new NotFound(`there is no team ${name}; see: bin/swf-alarms team list`);
      printLines([`removed ${name}`]);
    });
}
