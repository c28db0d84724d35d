import type { Command } from "commander";
import { alarmRows } from "../store/alarms.ts";
import { listTeams, removeTeam } from "../store/teams.ts";
import { NotFound, requireKnown } from "./alarms.ts";
import { printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { parseTeamName } from "./team_set.ts";

/** `team remove`: `team set` brings the team back. */
export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<name>", "name of the team, such as @shift", parseTeamName)
    .option("--force", "remove it even while recipients name it")
    .action(async (name: string, options: ConfigOption & { readonly force?: true }) => {
      const users = await withDatabase(
        readConfig(options),
        (db, { operators }) =>
          db.transaction(async (tx) => {
            requireKnown("team", [name], [...(await listTeams(tx)).keys()]);
            await removeTeam(tx, name, Date.now() / 1000);
            const { rows } = await alarmRows(tx);
            const users = rows.filter((row) => row.recipients.includes(name));
            const found = users
              .filter((row) => !row.archived)
              .map((row) => `the alarm ${row.name}`);
            if (operators.includes(name)) found.push("[email] operators");
            if (found.length === 0 || options.force === true) {
              const archived = users.filter((row) => row.archived);
              return [...found, ...archived.map((row) => `the archived alarm ${row.name}`)];
            }
            throw new NotFound(
              `did not remove ${name}: it is used by ${found.join(", ")}; change their recipients first, or add --force`,
            );
          }),
        "write",
      );
      printLines([`removed ${name}`, ...users.map((user) => `${user} still names it`)]);
    });
}
