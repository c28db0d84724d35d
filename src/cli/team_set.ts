import { type Command, InvalidArgumentError } from "commander";
import { addressFault, mailbox, splitRecipients } from "../core/recipients.ts";
import type { Database } from "../store/database.ts";
import { listTeams, setTeam } from "../store/teams.ts";
import { printLines } from "./output.ts";
import { addConfigOption, type ConfigOption, readConfig, withDatabase } from "./session.ts";
import { commandUser } from "./user.ts";

interface SetOptions extends ConfigOption {
  readonly title?: string;
}

export function declare(command: Command): void {
  addConfigOption(command)
    .argument("<name>", "name of the team, such as @shift", parseTeamName)
    .argument("<address...>", "its members; they replace the previous ones")
    .option("--title <text>", "title of the team")
    .action(async (name: string, texts: readonly string[], options: SetOptions) => {
      const members = parseMembers(texts);
      const set = async (db: Database): Promise<void> => {
        const title = options.title ?? (await listTeams(db)).get(name)?.title ?? name;
        const [by, now] = [commandUser(), Date.now() / 1000];
        await db.transaction((tx) => setTeam(tx, { name, title, members }, by, now));
      };
      await withDatabase(readConfig(options), set, "write");
      printLines([`${name}: ${members.join(" ")}`]);
    });
}

/** One word: a list of recipients is split at spaces, commas and semicolons. Throws InvalidArgumentError. */
export function parseTeamName(text: string): string {
  const name = text.startsWith("@") ? text : `@${text}`;
  if (!/^@[^\s@,;]{1,200}$/u.test(name))
    throw new InvalidArgumentError("write one word such as @shift");
  return name;
}

function parseMembers(texts: readonly string[]): readonly string[] {
  const members = texts.flatMap(splitRecipients);
  const wrong = members.length === 0 ? "" : members.find((member) => mailbox(member) === undefined);
  if (wrong === undefined) return members;
  throw new InvalidArgumentError(`${addressFault(wrong)} (teams do not nest)`);
}
