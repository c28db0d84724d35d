import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config/config.ts";
import { ExpectedError } from "../core/expected_error.ts";
import type { Log } from "../core/log.ts";
import type { Mode } from "../core/model.ts";
import { startDeadline } from "../engine/deadline.ts";
import type { TickReport } from "../engine/report.ts";
import { startWorker } from "../engine/workers.ts";
import { type Database, DatabaseBusy } from "../store/database.ts";
import { consoleLog, logTo } from "./console_log.ts";
import { EXIT, type ExitCode, type SetExit } from "./exit_code.ts";
import { addJitterOption, waitJitter } from "./jitter.ts";
import { type JsonOption, print, printLines } from "./output.ts";
import type { ParamOptions } from "./param_option.ts";
import { planFacts, renderPlan } from "./render_plan.ts";
import { renderTick, renderTickForLog } from "./render_tick.ts";
import {
  addAllowOption,
  addConfigOption,
  type ConfigOption,
  makeEngine,
  type ReadConfig,
  readConfig,
  withDatabase,
} from "./session.ts";
import { onStopSignal } from "./stop_signals.ts";

interface RunOptions extends ConfigOption, JsonOption, ParamOptions {
  readonly dryRun?: boolean;
  readonly plan?: boolean;
  readonly alarm?: readonly string[];
  /** Seconds. */
  readonly jitter?: number;
  readonly verbose?: boolean;
}

export function declare(command: Command, setExit: SetExit): void {
  const withOptions = addConfigOption(command)
    .enablePositionalOptions()
    .allowExcessArguments()
    .description(
      "Runs one tick over all alarms. Prints nothing unless there are errors or stdout is a terminal (see -v).",
    )
    .addOption(new Option("--dry-run", "write state, send no mail").conflicts("plan"))
    .option("--plan", "write nothing; print what a tick would do and why")
    .option("--alarm <name...>", "only these alarms")
    .option("--param <name=value...>", "plan with this value instead of the row's (with --plan)")
    .option("--param-file <file>", "the same from a file: name = value, TOML or JSON by its ending")
    .option("--json", "print the plan as JSON (with --plan)");
  addJitterOption(withOptions)
    .option("-v, --verbose", "print every step")
    .action(async (options: RunOptions) => setExit(await run(options)));
}

/** `swf-alarms-run`: takes the options that crontab lines of the Python engine use. */
export function declarePythonRun(program: Command, setExit: SetExit): void {
  program
    .description("Runs one tick; the same as: swf-alarms run")
    .requiredOption("--config <file>", "configuration file");
  addJitterOption(addAllowOption(program))
    .option("--dry-run", "write state, send no mail")
    .option("-v, --verbose", "print every step")
    .action(async (options: RunOptions) => setExit(await run(options)));
}

async function run(options: RunOptions): Promise<ExitCode> {
  if (options.plan === true) return await showPlan(options);
  if (options.json === true) throw new InvalidArgumentError("--json needs --plan");
  if (hasParams(options))
    throw new InvalidArgumentError(
      "--param and --param-file need --plan; to change the alarm, run: bin/swf-alarms alarm set NAME --param NAME=VALUE",
    );
  const mode = options.dryRun === true ? "dry-run" : "tick";
  const verbose = options.verbose === true;
  const isWatched = !verbose && process.stdout.isTTY;
  const read = readConfig(options, (path) => logTo(path, options.allowWritable === true));
  const { notes } = read;
  const log = consoleLog(verbose);
  for (const note of notes) log.info(note);
  if (options.jitter !== undefined) {
    const stop = new AbortController();
    onStopSignal((name) => stop.abort(new TickStopped(name)));
    await waitJitter(options.jitter, Math.random(), log, stop.signal);
  }
  try {
    const report = await runTick(read, mode, log, options);
    for (const line of renderTickForLog(report, mode)) log.info(line);
    if (isWatched || (mode === "dry-run" && !verbose)) printLines(renderTick(report, mode));
    for (const error of report.errors) log.error(error);
    return report.errors.length > 0 ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!(error instanceof DatabaseBusy)) throw error;
    const line = `tick skipped: ${error.message}`;
    if (isWatched && !error.overdue) printLines([line]);
    // An overdue tick blocks all others until a person ends it.
    if (error.overdue) log.error(line);
    else log.info(line);
    return error.overdue ? EXIT.failed : EXIT.ok;
  }
}

function hasParams({ param, paramFile }: ParamOptions): boolean {
  return param !== undefined || paramFile !== undefined;
}

async function showPlan(options: RunOptions): Promise<ExitCode> {
  if (options.jitter !== undefined)
    throw new InvalidArgumentError("--plan does not wait; leave out --jitter");
  if (hasParams(options) && options.alarm?.length !== 1)
    throw new InvalidArgumentError(
      "--param and --param-file change the parameters of one alarm; name it with: --alarm NAME",
    );
  const log = consoleLog(options.verbose === true && options.json !== true);
  const report = await runTick(readConfig(options), "plan", log, options);
  const plan = planFacts(report);
  print(options, plan, renderPlan(plan));
  return report.errors.length > 0 ? EXIT.failed : EXIT.ok;
}

async function runTick(
  read: ReadConfig,
  mode: Mode,
  log: Log,
  options: RunOptions,
): Promise<TickReport> {
  const { config } = read;
  const deadline = startDeadline(config.engine.tickTimeout);
  if (mode !== "plan") onStopSignal((name) => deadline.end(new TickStopped(name)));
  const worker = startWorker(config, log);
  const work = async (db: Database): Promise<TickReport> => {
    // Loaded while the worker starts.
    const { tick } = await import("../engine/tick.ts");
    const selected = options.alarm && (await selectAlarms(db, config, options.alarm, options));
    return await tick(makeEngine(db, config, log, worker), {
      mode,
      deadline,
      only: undefined,
      ...selected,
    });
  };
  return await withDatabase(read, work, mode === "plan" ? "plan" : "tick", deadline);
}

/** The alarms that a person named, and the parameters of the first one. Throws NotFound, InvalidArgumentError. */
async function selectAlarms(
  db: Database,
  config: Config,
  alarm: readonly string[],
  given: ParamOptions,
) {
  const { findAlarm, requireAlarms } = await import("./alarms.ts");
  const names = await requireAlarms(db, config, [...alarm]);
  const only = new Set(names);
  if (!hasParams(given)) return { only };
  const { readParams } = await import("./param_option.ts");
  return { only, params: readParams(await findAlarm(db, config, names[0] ?? ""), given) };
}

class TickStopped extends ExpectedError {
  override readonly exitCode = EXIT.failed;

  constructor(name: string) {
    super(`the tick was stopped by ${name}; the next tick continues`);
  }
}
