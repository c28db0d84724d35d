import type { Config } from "../config/config.ts";
import { Runner } from "../modules/runner.ts";
import { Runners } from "../modules/runners.ts";
import type { Log } from "./log.ts";

/** CPU time of one process: what a tick may take, with room for the threads that Node runs beside it. */
const CPU_TIMES = 2;

/**
 * Starts a process for alarm modules. It takes longer than loading the engine and opening the database,
 * so a tick begins with it. It ends with this process, or with the runners that it is handed to.
 */
export function startRunner(config: Config, log: Log): Runner {
  const { limits } = config.engine;
  return new Runner({ ...processSettings(config, log), memory: limits.memory });
}

/** The processes for alarm modules, with the limits that are configured. */
export function openRunners(
  config: Config,
  signal: AbortSignal,
  log: Log,
  first?: Runner,
): Runners {
  const { limits } = config.engine;
  return new Runners({ ...processSettings(config, log), limits, signal, first });
}

function processSettings({ engine }: Config, log: Log) {
  return {
    cpuTime: engine.tickTimeout * CPU_TIMES,
    log: (message: string): void => log.debug(message),
  };
}
