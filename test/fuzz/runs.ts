import { vi } from "vitest";

/** Few enough that the whole folder takes seconds on a small machine. */
const SHORT = 100;
const NUMBER = Number(process.env.SWF_ALARMS_FUZZ_RUNS ?? SHORT);
const SEED = Number(process.env.SWF_ALARMS_FUZZ_SEED ?? 20_261_121);

/** The long form takes its time. */
vi.setConfig({ testTimeout: 60_000 * Math.max(1, NUMBER / SHORT) });

/**
 * How often a property is tried, and with which values: the same in every run unless the environment
 * says otherwise. fast-check prints seed and path of a failure. The long form, as docs/reliability.md
 * has it, with any number as the seed:
 *
 *     SWF_ALARMS_FUZZ_RUNS=10000 SWF_ALARMS_FUZZ_SEED=1 npx vitest run test/fuzz
 *
 * `share` is for properties of which one run is dear or very cheap.
 */
export function runs(share = 1): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: Math.max(1, Math.ceil(NUMBER * share)), seed: SEED };
}
