import type { Config } from "../config/config.ts";
import type { Log } from "../core/log.ts";
import type { Redact } from "../text/redact.ts";
import { Worker } from "../worker/worker.ts";
import { WorkerPool } from "../worker/worker_pool.ts";

/** CPU time of one worker, as a multiple of the tick's limit: Node runs threads beside the module. */
const CPU_TIMES = 2;

/** Starts a worker before the tick loads its own code: starting one takes longer. `openWorkerPool` takes it over. */
export function startWorker(config: Config, log: Log): Worker {
  const { limits } = config.engine;
  return new Worker({ ...processSettings(config, log), memory: limits.memory });
}

/** The workers, with the configured limits. */
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
