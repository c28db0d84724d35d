import { readFileSync } from "node:fs";
import { defineConfig, type RolldownOptions } from "rolldown";

const manifest: { readonly dependencies: object } = JSON.parse(
  readFileSync("package.json", "utf8"),
);
const packages = Object.keys(manifest.dependencies);

/**
 * The engine's own code, and no package: those are loaded from node_modules as they were installed. A tick
 * needs few files, because a hundred small ones take longer to load than a tick with nothing to do; what is
 * imported on demand is a file of its own. Every file lies as deep below `dist` as its source below
 * `src`, so that paths from `import.meta.url` hold in both.
 *
 * CommonJS, because Node's loader of ES modules costs each process 15 ms more.
 */
function bundle(chunks: string, input: { readonly [entry: string]: string }): RolldownOptions {
  return {
    input: { ...input },
    platform: "node",
    external: (id) => packages.some((name) => id === name || id.startsWith(`${name}/`)),
    // A package of which nothing is used is not loaded.
    treeshake: { moduleSideEffects: "no-external" },
    // A package that is in no list of dependencies would be copied, or be missing where this is installed.
    onLog: (level, log, report) => report(level === "warn" ? "error" : level, log),
    output: {
      // build/build.mjs puts it in the place of `dist` when all of it is there.
      dir: "dist.new",
      format: "cjs",
      sourcemap: true,
      // A stack trace needs names and lines only.
      sourcemapExcludeSources: true,
      chunkFileNames: `${chunks}/[name].js`,
    },
  };
}

export const engine = bundle("chunks", {
  "program/swf-alarms": "src/program/swf-alarms.ts",
  "program/swf-alarms-run": "src/program/swf-alarms-run.ts",
});

/** Shares no file with the engine: it needs little of what is in them. */
const worker = bundle("worker/child", { "worker/child/main": "src/worker/child/main.ts" });

const helpers = bundle("chunks", { index: "src/index.ts" });

/**
 * What tests import. Vitest leaves a file to Node if its name ends in .mjs, and takes any other outside node_modules for
 * source code, which a linked package is.
 */
const common = bundle("testing", { "testing/index": "src/testing.ts" });
const testing: RolldownOptions = {
  ...common,
  output: {
    ...common.output,
    format: "esm",
    entryFileNames: "[name].mjs",
    chunkFileNames: "testing/[name].mjs",
  },
};

export default defineConfig([engine, worker, helpers, testing]);
