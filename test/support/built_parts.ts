import { fileURLToPath } from "node:url";
import { build } from "rolldown";
import { engine } from "../../rolldown.config.ts";

/** Parts of the engine that scripts of tests import by themselves. */
export const PARTS = [
  "channel/registry.js",
  "channel/ses_channel.js",
  "channel/smtp_channel.js",
  "store/embedded/database.js",
  "store/embedded/folder_lock.js",
  "store/postgres/connect.js",
] as const;

/** Where they lie: the packages of the checkout are found from there. */
export const BUILT = new URL("../../node_modules/.swf-alarms-parts/", import.meta.url);

/** Bundles them as the engine itself is: `dist` has no file for each. */
export async function buildParts(): Promise<void> {
  const entries = PARTS.map((part) => [part.slice(0, -".js".length), `src/${part.slice(0, -2)}ts`]);
  await build({
    ...engine,
    input: Object.fromEntries(entries),
    plugins: [],
    output: { ...engine.output, dir: fileURLToPath(BUILT) },
  });
}
