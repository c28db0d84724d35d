import { readFileSync } from "node:fs";
import { defineConfig, type Plugin, type RolldownOptions } from "rolldown";
import { thirdParty } from "./build/third_party.ts";

const manifest: { readonly dependencies: object } = JSON.parse(
  readFileSync("package.json", "utf8"),
);
const licences = thirdParty();

/** A package that comes with the engine, or a file of one. */
function isInstalled(id: string): boolean {
  return Object.keys(manifest.dependencies).some(
    (name) => id === name || id.startsWith(`${name}/`),
  );
}

/** pg looks at `Response`, to see whether this is Cloudflare, which makes Node 20 load all of its fetch. */
const withoutFetch: Plugin = {
  name: "pg without fetch",
  transform: {
    filter: { id: /[\\/]node_modules[\\/]pg[\\/]/, code: /\bResponse\b/ },
    // In front of them it would take the place of "use strict".
    handler: (code) => `${code}\nvar Response;\n`,
  },
};

/**
 * `dist`: what a tick needs is in a few files, as a hundred small ones take longer to load than a tick with
 * nothing to do; what is imported on demand stays a file of its own. Every file lies one folder below `dist`,
 * as the sources below `src`, so that paths from `import.meta.url` hold in both.
 *
 * CommonJS, because Node's loader of newer modules costs each process 15 ms more.
 */
function bundle(chunks: string, input: { readonly [entry: string]: string }): RolldownOptions {
  return {
    input: { ...input },
    platform: "node",
    // Newer modules load with less work than what they were compiled to.
    resolve: { mainFields: ["module", "main"] },
    external: isInstalled,
    plugins: [licences, withoutFetch],
    // A package that is not found would be left for the user to install.
    onLog: (level, log, report) => report(level === "warn" ? "error" : level, log),
    output: { dir: "dist", format: "cjs", chunkFileNames: `${chunks}/[name].js` },
  };
}

export const engine = bundle("chunks", {
  "bin/swf-alarms": "src/bin/swf-alarms.ts",
  "bin/swf-alarms-run": "src/bin/swf-alarms-run.ts",
});

/** Shares no file with the engine: it needs little of what is in them. */
const runner = bundle("runner", { "runner/main": "src/runner/main.ts" });

const helpers = bundle("chunks", { index: "src/index.ts" });

export default defineConfig([engine, runner, helpers]);
