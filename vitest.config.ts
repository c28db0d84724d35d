import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const FOLDERS = ["crash/", "deploy/", "e2e/", ""];

/**
 * In a fresh clone, where no durations are known, vitest starts with the largest files. Those that run whole processes
 * take longer than their size says: begun last, one of them would run alone for a minute.
 */
class ProcessesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number =>
      FOLDERS.findIndex((folder) => moduleId.includes(`/test/${folder}`));
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: { alias: { "swf-alarms": fileURLToPath(new URL("src/index.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    // Real databases and whole processes on a small machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
    // `.ci/run` counts the tests in this file.
    reporters: process.env.CI
      ? ["default", ["json", { outputFile: "node_modules/.vitest-results.json" }]]
      : ["default"],
    // Most tests wait for processes and servers of their own; a worker for each core would leave cores idle.
    maxWorkers: 3,
    sequence: { sequencer: ProcessesFirst },
    // As the processes that alarm modules run in, and as src/main.ts sets it.
    execArgv: [
      "--experimental-vm-modules",
      "--no-warnings",
      "--no-wasm-tier-up",
      "--no-wasm-dynamic-tiering",
    ],
    globalSetup: ["test/support/global_setup.ts"],
  },
});
