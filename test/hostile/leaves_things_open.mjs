// Leaves a server, a timer and commands running.
import { spawn } from "node:child_process";
import { createServer } from "node:net";

export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  createServer().listen(0, "127.0.0.1");
  setInterval(() => {}, 1000);
  spawn("sleep", ["1007"], { stdio: "inherit" });
}
