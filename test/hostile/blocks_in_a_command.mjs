// Blocks in a command of the shell.
import { execSync } from "node:child_process";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  execSync("sleep 100");
}
