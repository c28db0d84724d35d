import { readFileSync } from "node:fs";
import { Command } from "commander";
import { nearest } from "../text/nearest.ts";
import type { SetExit } from "./exit_code.ts";
import { shown, shownLine } from "./output.ts";

type Declare = (command: Command, setExit: SetExit) => void;
/** Called when the command runs or its help is shown, so that no other command's code is loaded. */
type Load = () => Promise<{ readonly declare: Declare }>;

/** The table of contents of this folder: what the user types, a summary, and the file. */
const COMMANDS: readonly (readonly [words: string, summary: string, load: Load])[] = [
  ["run", "run one tick; cron calls this", () => import("./run.ts")],
  ["run list", "list the last ticks and their results", () => import("./run_list.ts")],
  ["status", "show whether the engine and its alarms work", () => import("./status.ts")],
  ["why", "show the state of a key of an alarm, and why", () => import("./why.ts")],
  ["why-not", "show what a tick would do with a key now", () => import("./why_not.ts")],
  ["migrate", "apply pending database migrations", () => import("./migrate.ts")],
  ["prune", "remove rows older than [retention] allows", () => import("./prune.ts")],
  ["listen", "append the events of a supervisord to a spool", () => import("./listen.ts")],
  ["demo", "run ticks on sample data", () => import("../demo/demo.ts")],
  ["alarm list", "list the alarms and whether they can run", () => import("./alarm_list.ts")],
  ["alarm show", "show an alarm, its parameters and events", () => import("./alarm_show.ts")],
  ["alarm new", "write a module and its test", () => import("./alarm_new.ts")],
  ["alarm try", "run its detect now, without writes or mail", () => import("./alarm_try.ts")],
  ["alarm set", "change an alarm: mail, recipients, parameters", () => import("./alarm_set.ts")],
  ["event list", "list the events that are firing", () => import("./event_list.ts")],
  ["event show", "show an event and those before it", () => import("./event_show.ts")],
  ["event ack", "hold updates and reminders of an event", () => import("./event_ack.ts")],
  ["event unack", "end its acknowledgement", () => import("./event_unack.ts")],
  ["event clear", "end an event", () => import("./event_clear.ts")],
  ["channel list", "list the channels and their state", () => import("./channel_list.ts")],
  ["channel test", "send a test on a channel", () => import("./channel_test.ts")],
  [
    "notification list",
    "list what was sent, and what waits",
    () => import("./notification_list.ts"),
  ],
  [
    "notification show",
    "show what is on record of a notification",
    () => import("./notification_show.ts"),
  ],
  [
    "notification retry",
    "let the next tick attempt one again",
    () => import("./notification_retry.ts"),
  ],
  ["team list", "list the teams and their addresses", () => import("./team_list.ts")],
  ["team set", "create a team or replace its members", () => import("./team_set.ts")],
  ["team remove", "remove a team", () => import("./team_remove.ts")],
];

const GROUPS: { readonly [word: string]: string } = {
  alarm: "list, show, write, try and change alarms",
  event: "list, show, acknowledge and clear events",
  channel: "list and test the channels",
  notification: "list, show and retry notifications",
  team: "list, set and remove mail aliases",
};

/** Usage errors quote what was typed; each is one line. */
const OUTPUT = {
  writeOut: (text: string): void => void process.stdout.write(shown(text)),
  writeErr: (text: string): void => void process.stderr.write(shown(text)),
  outputError: (text: string): void => void process.stderr.write(`${shownLine(text.trim())}\n`),
};

export function buildProgram(setExit: SetExit): Command {
  const loads = new Map<Command, Load>();
  const declare = async (parent: Command, command: Command): Promise<void> => {
    // An option of `run` in front of `list` would have no effect.
    if (Object.keys(parent.opts()).length > 0)
      parent.error(`error: write the options after '${command.name()}'`);
    (await loads.get(command)?.())?.declare(command, setExit);
    refuseUnclear(command);
  };
  const program = new Command("swf-alarms")
    .configureOutput(OUTPUT)
    .description(
      "Standalone alarm engine: each tick queries REST services, records events in Postgres, and sends one mail per alarm.",
    )
    .version(packageVersion())
    .enablePositionalOptions()
    .exitOverride()
    .hook("preSubcommand", declare)
    .hook("preAction", (_, command) => refuseUnknown(command))
    .on("beforeAllHelp", ({ command }: { readonly command: Command }) => refuseUnknown(command));
  const parents = new Map([["", program]]);
  const add = (words: string, summary: string): Command => {
    const [, group = "", name = words] = /^(\S+) (\S+)$/.exec(words) ?? [];
    const parent = parents.get(group) ?? add(group, GROUPS[group] ?? "");
    const command = parent.command(name).summary(summary).hook("preSubcommand", declare);
    parents.set(words, command);
    return command;
  };
  for (const [words, summary, load] of COMMANDS) loads.set(add(words, summary), load);
  return program;
}

export async function buildRunProgram(setExit: SetExit): Promise<Command> {
  const program = new Command("swf-alarms-run").configureOutput(OUTPUT).exitOverride();
  const { declarePythonRun } = await import("./run.ts");
  declarePythonRun(program, setExit);
  refuseUnclear(program);
  return program;
}

/** Of a word that is not a command, commander shows the help, with `--help`, or counts arguments, after `run`. */
function refuseUnknown(command: Command): void {
  const [word = "-"] = command.args;
  const names = command.commands.map((known) => known.name());
  if (names.length === 0 || word.startsWith("-")) return;
  const guess = nearest(word, names);
  const hint = guess === undefined ? "" : ` (Did you mean ${guess}?)`;
  command.error(`error: unknown command '${word}'${hint}`);
}

/** Of two values only one would count; an empty one is usually a shell variable that is not set. */
function refuseUnclear(command: Command): void {
  for (const option of command.options.filter(({ required }) => required)) {
    let given = 0;
    command.on(`option:${option.name()}`, (value: string) => {
      if (value.trim() === "") command.error(`error: option '${option.flags}' has an empty value`);
      if (++given > 1 && !option.variadic)
        command.error(`error: option '${option.flags}' is given more than once`);
    });
  }
}

/** `help alarm list` → `alarm list --help`: commander shows the first without loading the command. */
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
