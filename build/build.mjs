/**
 * Builds `dist` beside the one that may be in use, and swaps it in when it is complete: where a step
 * fails, the old one stays. The alarms folder takes no part, because it may hold modules of any user.
 */
import "./check_node.cjs";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const [FRESH, FORMER] = ["dist.new", "dist.old"];

/** What crontab lines and units may name in a checkout. */
const STARTER = (name) => `#!/usr/bin/env node
// Starts the engine that deploy/install.sh has installed beside this checkout, or else this build.
const installed = require("path").join(__dirname, "../../engine/current/dist/program/${name}.js");
require(require("fs").existsSync(installed) ? installed : "../program/${name}.js");
`;

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
// A build that was ended between its two renames has left this.
if (!existsSync("dist") && existsSync(FORMER)) renameSync(FORMER, "dist");
remove(FRESH);
try {
  run("typescript-dev/bin/tsc", "-p", "src", "--outDir", FRESH);
  run("rolldown/bin/cli.mjs", "--config", "rolldown.config.ts");
} catch (error) {
  remove(FRESH);
  process.stderr.write(`build: ${error.message}; dist is unchanged\n`);
  process.exit(1);
}
writeFileSync(`${FRESH}/package.json`, '{ "type": "commonjs" }\n');
mkdirSync(`${FRESH}/bin`);
for (const name of ["swf-alarms", "swf-alarms-run"]) {
  chmodSync(`${FRESH}/program/${name}.js`, 0o755);
  writeFileSync(`${FRESH}/bin/${name}.js`, STARTER(name), { mode: 0o755 });
}
remove(FORMER);
if (existsSync("dist")) renameSync("dist", FORMER);
renameSync(FRESH, "dist");
remove(FORMER);

/** Shows what a step prints only where it fails; errors of types come on its standard output. */
function run(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [
    `node_modules/${script}`,
    ...args,
  ]);
  if (status === 0) return;
  process.stderr.write(Buffer.concat([stdout, stderr]));
  throw new Error(`${script} failed`);
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
