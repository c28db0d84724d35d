// Forks itself, and waits.
import { fork, spawn } from "node:child_process";

if (process.send !== undefined) setInterval(() => {}, 1000);

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  fork(new URL(import.meta.url).pathname);
  spawn("sleep", ["1007"], { stdio: "inherit" });
  await new Promise(() => {});
}
