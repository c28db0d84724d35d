// Kills its process.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.kill(process.pid, "SIGKILL");
}
