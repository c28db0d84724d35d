import * as helpers from "../../src/index.ts";
import { ModuleLoader } from "../../src/worker/child/load.ts";
import type { Workers } from "../../src/worker/worker_pool.ts";
import { loadHere } from "./load_module.ts";
import { runHere } from "./run_detect.ts";

/**
 * Runs modules in this process, for tests of what a tick makes of outcomes: a process of their own for
 * each tick would take most of the time. What such a process is for has tests of its own.
 */
export function inProcessWorkers(): Workers {
  const loader = new ModuleLoader({ ...helpers });
  return {
    load: async (file) => (await loadHere(loader, file)).parsed,
    detect: async (facts) => {
      const { parsed, detect } = await loadHere(loader, facts.file);
      if (detect === undefined) throw new Error(parsed.ok ? "no detect" : parsed.error);
      return await runHere(detect, {
        ...facts,
        needsDetails: facts.decideDetails(),
        timeout: facts.limits.timeout,
      });
    },
    close: async () => {},
  };
}
