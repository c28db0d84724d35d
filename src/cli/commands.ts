import { readFileSync } from "node:fs";
import { Command } from "commander";
import { addAlarmList } from "./alarm_list.ts";
import { addAlarmSet } from "./alarm_set.ts";
import { addAlarmShow } from "./alarm_show.ts";
import { addAlarmTry } from "./alarm_try.ts";
import { addDemo } from "./demo.ts";
import { addEventList } from "./event_list.ts";
import type { SetExit } from "./exit_code.ts";
import { addJitterOption } from "./jitter.ts";
import { addMigrate } from "./migrate.ts";
import { shown } from "./output.ts";
import { addPrune } from "./prune.ts";
import { addRun, type RunOptions, runTick } from "./run.ts";
import { addRunList } from "./run_list.ts";
import { addAllowOption } from "./session.ts";
import { addStatus } from "./status.ts";
import { addTeamList } from "./team_list.ts";
import { addTeamRemove } from "./team_remove.ts";
import { addTeamSet } from "./team_set.ts";

/** Messages of the parser quote what was typed, and a script may have typed what a service said. */
const OUTPUT = {
  writeOut: (text: string): void => void process.stdout.write(shown(text)),
  writeErr: (text: string): void => void process.stderr.write(shown(text)),
};

/** The command line `swf-alarms`: the table of contents of this folder. */
export function buildProgram(setExit: SetExit): Command {
  const program = new Command("swf-alarms")
    .configureOutput(OUTPUT)
    .description(
      "Standalone alarm engine: one tick asks REST services, keeps events in Postgres, mails once per alarm.",
    )
    .version(packageVersion())
    .enablePositionalOptions()
    .exitOverride();
  const run = addRun(program, setExit);
  addRunList(run);
  addStatus(program, setExit);
  addMigrate(program);
  addPrune(program, setExit);
  addDemo(program);
  const alarm = program.command("alarm").summary("list, show, try and set alarms");
  addAlarmList(alarm);
  addAlarmShow(alarm);
  addAlarmTry(alarm, setExit);
  addAlarmSet(alarm);
  const event = program.command("event").summary("list events");
  addEventList(event);
  const team = program.command("team").summary("list, set and remove mail aliases");
  addTeamList(team);
  addTeamSet(team);
  addTeamRemove(team);
  return program;
}

/** The command line `swf-alarms-run`: exactly what crontab lines of the Python engine say. */
export function buildRunProgram(setExit: SetExit): Command {
  const program = new Command("swf-alarms-run")
    .configureOutput(OUTPUT)
    .description("Runs one tick; the same as: swf-alarms run")
    .requiredOption("--config <file>", "configuration file");
  return addJitterOption(addAllowOption(program))
    .option("--dry-run", "write state, send no mail")
    .option("-v, --verbose", "print every step")
    .exitOverride()
    .action(async (options: RunOptions) => setExit(await runTick(options)));
}

function packageVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return /"version": "([^"]+)"/.exec(text)?.[1] ?? "unknown";
}
