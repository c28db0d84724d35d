// Stops its process, which then neither works nor ends.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.kill(process.pid, "SIGSTOP");
  await new Promise(() => {});
}
