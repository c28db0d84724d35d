import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "swf-alarms": fileURLToPath(new URL("src/index.ts", import.meta.url)) } },
  test: {
    include: ["test/**/*.test.ts"],
    // Real databases and whole processes on a small machine.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    globalSetup: ["test/support/global_setup.ts"],
  },
});
