import { readFileSync } from "node:fs";
import { Command } from "commander";
import type { SetExit } from "./exit_code.ts";
import { shown } from "./output.ts";

/** Adds a command's options and its action. */
type Declare = (command: Command, setExit: SetExit) => void;

interface Listed {
  /** The words that a user types, such as `alarm list`. */
  readonly words: string;
  readonly summary: string;
  /** Called when the command runs or its help is shown: no other command's code is loaded. */
  readonly load: () => Promise<Declare>;
}

/** The table of contents of this folder. */
const COMMANDS: readonly Listed[] = [
  {
    words: "run",
    summary: "run one tick; cron calls this",
    load: async () => (await import("./run.ts")).declareRun,
  },
  {
    words: "run list",
    summary: "list the last ticks and how they went",
    load: async () => (await import("./run_list.ts")).declareRunList,
  },
  {
    words: "status",
    summary: "say whether the engine and its alarms are well",
    load: async () => (await import("./status.ts")).declareStatus,
  },
  {
    words: "migrate",
    summary: "bring the database up to date",
    load: async () => (await import("./migrate.ts")).declareMigrate,
  },
  {
    words: "prune",
    summary: "remove what [retention] no longer keeps",
    load: async () => (await import("./prune.ts")).declarePrune,
  },
  {
    words: "demo",
    summary: "show ticks at work on made-up data",
    load: async () => (await import("../demo/demo.ts")).declareDemo,
  },
  {
    words: "alarm list",
    summary: "list the alarms and whether they can run",
    load: async () => (await import("./alarm_list.ts")).declareAlarmList,
  },
  {
    words: "alarm show",
    summary: "show one alarm, its parameters and its active events",
    load: async () => (await import("./alarm_show.ts")).declareAlarmShow,
  },
  {
    words: "alarm try",
    summary: "run one alarm's detect now; write nothing, mail nothing",
    load: async () => (await import("./alarm_try.ts")).declareAlarmTry,
  },
  {
    words: "alarm set",
    summary: "change an alarm's row: mail, recipients, parameters",
    load: async () => (await import("./alarm_set.ts")).declareAlarmSet,
  },
  {
    words: "event list",
    summary: "list what is firing",
    load: async () => (await import("./event_list.ts")).declareEventList,
  },
  {
    words: "team list",
    summary: "list the teams and their addresses",
    load: async () => (await import("./team_list.ts")).declareTeamList,
  },
  {
    words: "team set",
    summary: "make a team, or give it new members",
    load: async () => (await import("./team_set.ts")).declareTeamSet,
  },
  {
    words: "team remove",
    summary: "take a team out of use",
    load: async () => (await import("./team_remove.ts")).declareTeamRemove,
  },
];

/** What the first words of several commands stand for. */
const GROUPS: { readonly [word: string]: string } = {
  alarm: "list, show, try and set alarms",
  event: "list events",
  team: "list, set and remove mail aliases",
};

/** Messages of the parser quote what was typed, and a script may have typed what a service said. */
const OUTPUT = {
  writeOut: (text: string): void => void process.stdout.write(shown(text)),
  writeErr: (text: string): void => void process.stderr.write(shown(text)),
};

/** The command line `swf-alarms`. */
export function buildProgram(setExit: SetExit): Command {
  const program = new Command("swf-alarms")
    .configureOutput(OUTPUT)
    .description(
      "Standalone alarm engine: one tick asks REST services, keeps events in Postgres, mails once per alarm.",
    )
    .version(packageVersion())
    .enablePositionalOptions()
    .exitOverride();
  const loads = new Map<Command, Listed["load"]>();
  const declare = async (_: Command, command: Command): Promise<void> =>
    (await loads.get(command)?.())?.(command, setExit);
  const parents = new Map<string, Command>([["", program.hook("preSubcommand", declare)]]);
  const add = (words: string, summary: string): Command => {
    const [, group = "", name = words] = /^(\S+) (\S+)$/.exec(words) ?? [];
    const parent = parents.get(group) ?? add(group, GROUPS[group] ?? "");
    const command = parent.command(name).summary(summary).hook("preSubcommand", declare);
    parents.set(words, command);
    return command;
  };
  for (const { words, summary, load } of COMMANDS) loads.set(add(words, summary), load);
  return program;
}

/** The command line `swf-alarms-run`. */
export async function buildRunProgram(setExit: SetExit): Promise<Command> {
  const program = new Command("swf-alarms-run").configureOutput(OUTPUT).exitOverride();
  const { declarePythonRun } = await import("./run.ts");
  declarePythonRun(program, setExit);
  return program;
}

/** `help alarm list` as `alarm list --help`: commander shows the first without loading the command. */
export function withHelpOption(argv: readonly string[]): readonly string[] {
  const [node = "", script = "", ...words] = argv;
  const [first, second] = words;
  if (first !== "help" && (second !== "help" || GROUPS[first ?? ""] === undefined)) return argv;
  return [node, script, ...words.filter((word) => word !== "help"), "--help"];
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? "unknown";
}
