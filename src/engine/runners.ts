import type { Config } from "../config/config.ts";
import { Runners } from "../modules/runners.ts";
import type { Log } from "./log.ts";

/** CPU time of one process: what a tick may take, with room for the threads that Node runs beside it. */
const CPU_TIMES = 2;

/** The processes for alarm modules, with the limits that are configured. */
export function openRunners(config: Config, signal: AbortSignal, log: Log): Runners {
  return new Runners({
    limits: config.engine.limits,
    cpuTime: config.engine.tickTimeout * CPU_TIMES,
    log: (message) => log.debug(message),
    signal,
  });
}
