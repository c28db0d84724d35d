import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Redact } from "../text/redact.ts";
import { Worker } from "../worker/worker.ts";
import { WorkerPool } from "../worker/worker_pool.ts";

/** CPU time of one process: what a tick may take, with room for the threads that Node runs beside it. */
const CPU_TIMES = 2;

/**
 * Starts a process for alarm modules. It takes longer than loading the engine and opening the database,
 * so a tick begins with it. It ends with this process, or with the workers that it is handed to.
 */
export function startWorker(config: Config, log: Log): Worker {
  const { limits } = config.engine;
  return new Worker({ ...processSettings(config, log), memory: limits.memory });
}

/** The processes for alarm modules, with the limits that are configured. */
export function openWorkerPool(
  config: Config,
  signal: AbortSignal,
  log: Log,
  redact: Redact,
  first?: Worker,
): WorkerPool {
  const { limits } = config.engine;
  return new WorkerPool({ ...processSettings(config, log), limits, signal, redact, first });
}

function processSettings({ engine }: Config, log: Log) {
  return {
    cpuTime: engine.tickTimeout * CPU_TIMES,
    log: (message: string): void => log.debug(message),
  };
}
