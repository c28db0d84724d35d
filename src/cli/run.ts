import { type Command, InvalidArgumentError } from "commander";
import type { DbConfig } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Mode } from "../core/model.ts";
import type { Engine } from "../engine/tick.ts";
import { startWorker } from "../engine/workers.ts";
import { DatabaseBusy } from "../store/database.ts";
import { noteSkipped, skippedTick } from "../store/skipped_ticks.ts";
import { errorText } from "../text/describe.ts";
import { consoleLog } from "./console_log.ts";
import { EXIT, type ExitCode, type SetExit } from "./exit_code.ts";
import { addJitterOption, waitSomeTime } from "./jitter.ts";
import { printJson, printLines } from "./output.ts";
import { planFacts, renderPlan, renderTick, renderTickForLog } from "./render_tick.ts";
import {
  addAllowOption,
  addConfigOption,
  type ConfigOption,
  makeEngine,
  readConfig,
  withDatabase,
  withPlanDatabase,
} from "./session.ts";

export interface RunOptions extends ConfigOption {
  readonly dryRun?: boolean;
  readonly plan?: boolean;
  readonly alarm?: readonly string[];
  readonly json?: boolean;
  /** Seconds. */
  readonly jitter?: number;
  readonly verbose?: boolean;
}

/** `run`: one tick. */
export function declareRun(command: Command, setExit: SetExit): void {
  const run = addConfigOption(command)
    .enablePositionalOptions()
    .description(
      "Runs one tick over all alarms. Silent when all is well and nobody looks on (see -v).",
    )
    .option("--dry-run", "write state, send no mail")
    .option("--plan", "write nothing at all, print what a tick would do and why")
    .option("--alarm <name...>", "only these alarms")
    .option("--json", "print the plan as JSON (with --plan)");
  addJitterOption(run)
    .option("-v, --verbose", "print every step")
    .action(async (options: RunOptions) => setExit(await runTick(options)));
}

/** `swf-alarms-run`: takes exactly what crontab lines of the Python engine say. */
export function declarePythonRun(program: Command, setExit: SetExit): void {
  program
    .description("Runs one tick; the same as: swf-alarms run")
    .requiredOption("--config <file>", "configuration file");
  addJitterOption(addAllowOption(program))
    .option("--dry-run", "write state, send no mail")
    .option("-v, --verbose", "print every step")
    .action(async (options: RunOptions) => setExit(await runTick(options)));
}

/** One tick in the mode that the options name. */
export async function runTick(options: RunOptions): Promise<ExitCode> {
  if (options.plan === true) {
    if (options.jitter !== undefined)
      throw new InvalidArgumentError("--jitter is for ticks; leave it out with --plan");
    return await showPlan(options);
  }
  if (options.json === true) throw new InvalidArgumentError("--json goes with --plan");
  const mode: Mode = options.dryRun === true ? "dry-run" : "tick";
  const verbose = options.verbose === true;
  const read = readConfig(options);
  const { config, notes } = read;
  const log = consoleLog({ verbose, path: config.engine.logPath });
  for (const note of notes) log.info(note);
  if (options.jitter !== undefined) await waitSomeTime(options.jitter, Math.random(), log);
  const first = startWorker(config, log);
  try {
    const report = await withDatabase(
      read,
      (db) => runOnce(makeEngine(db, config, log, first), mode, options.alarm),
      true,
    );
    for (const line of renderTickForLog(report, mode)) log.info(line);
    if (!verbose && (mode === "dry-run" || process.stdout.isTTY))
      printLines(renderTick(report, mode));
    for (const error of report.errors) log.error(error);
    return report.errors.length > 0 ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!(error instanceof DatabaseBusy)) throw error;
    noteInFolder(config.db, error.message, log);
    return skipped(error);
  }

  function skipped({ message: why, overdue }: DatabaseBusy): ExitCode {
    if (overdue) {
      // Nothing but a person ends it, and until then every tick is skipped.
      log.error(`tick skipped: ${why}`);
      return EXIT.failed;
    }
    log.info(`tick skipped: ${why}`);
    if (!verbose && process.stdout.isTTY) printLines([`tick skipped: ${why}`]);
    return EXIT.ok;
  }
}

/** On a shared database the tick has recorded it; an embedded one belongs to the process that has it. */
function noteInFolder(db: DbConfig, reason: string, log: Log): void {
  if (db.kind !== "embedded") return;
  try {
    noteSkipped(db.path, skippedTick(Date.now() / 1000, reason));
  } catch (error) {
    log.info(`cannot note in ${db.path} that a tick was skipped: ${errorText(error)}`);
  }
}

async function showPlan(options: RunOptions): Promise<ExitCode> {
  const log = consoleLog({
    verbose: options.verbose === true && options.json !== true,
    path: undefined,
  });
  const report = await withPlanDatabase(readConfig(options), (db, config) =>
    runOnce(makeEngine(db, config, log, startWorker(config, log)), "plan", options.alarm),
  );
  if (options.json === true) printJson(planFacts(report));
  else printLines(renderPlan(report));
  return report.errors.length > 0 ? EXIT.failed : EXIT.ok;
}

/** One tick of an engine. */
async function runOnce(engine: Engine, mode: Mode, names: readonly string[] | undefined) {
  const only =
    names === undefined ? undefined : new Set(names.map((name) => name.replace(/^alarm_/, "")));
  // Loaded while the process for modules starts.
  const { tick } = await import("../engine/tick.ts");
  return await tick(engine, { mode, only });
}
