import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Runs a program to its end. Rejects, with its output in the message, where it fails. */
export const run = promisify(execFile);

/** Copies what a commit of this checkout would hold, so that a test can build there at leisure. */
export async function copyCheckout(folder: string): Promise<void> {
  const listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout } = await run("git", listed, { cwd: ROOT, maxBuffer: 2 ** 24 });
  for (const file of stdout.split("\0")) {
    // A file that was deleted and not yet committed is still listed.
    if (file === "" || !existsSync(join(ROOT, file))) continue;
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(ROOT, file), join(folder, file));
  }
}

/**
 * The environment without what npm tells the scripts that it runs: an npm inside `npm test` would take
 * the outer package for its own.
 */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const inner =
    /^(npm_(lifecycle|package|command|execpath|config_(local_|global_)?prefix)|VITEST|NODE_ENV|INIT_CWD)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !inner.test(name)));
}
