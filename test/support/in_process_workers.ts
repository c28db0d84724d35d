import * as helpers from "../../src/index.ts";
import { ModuleLoader } from "../../src/worker/child/load.ts";
import type { Workers } from "../../src/worker/worker_pool.ts";
import { runHere } from "./run_detect.ts";

/**
 * Runs modules in this process, for tests of what a tick makes of outcomes: a process of their own for
 * each tick would take most of the time. What such a process is for has tests of its own.
 */
export function inProcessWorkers(): Workers {
  const loader = new ModuleLoader({ ...helpers });
  return {
    load: async (file) => (await loader.load(file, 10)).words,
    detect: async (facts) => {
      const { words, detect } = await loader.load(facts.file, 10);
      if (detect === undefined) throw new Error(words.ok ? "no detect" : words.error);
      return await runHere(detect, {
        ...facts,
        needsDetails: facts.decideDetails(),
        timeout: facts.limits.timeout,
      });
    },
    close: async () => {},
  };
}
