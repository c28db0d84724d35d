import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";
import { thirdParty } from "./build/third_party.ts";

const manifest: { readonly dependencies: object } = JSON.parse(
  readFileSync("package.json", "utf8"),
);

/**
 * `dist`: a hundred small files take longer to load than a tick with nothing to do. Each part that is
 * imported on demand stays a file of its own, one folder below `dist` as the sources are below `src`, so
 * that paths from `import.meta.url` hold in both.
 */
export default defineConfig({
  input: {
    "bin/swf-alarms": "src/bin/swf-alarms.ts",
    "bin/swf-alarms-run": "src/bin/swf-alarms-run.ts",
    "runner/main": "src/runner/main.ts",
    index: "src/index.ts",
  },
  platform: "node",
  external: Object.keys(manifest.dependencies),
  plugins: [thirdParty()],
  // A package that is not found would be left for the user to install.
  onLog: (level, log, report) => report(level === "warn" ? "error" : level, log),
  output: { dir: "dist", chunkFileNames: "chunks/[name].js" },
});
