// Hangs in the listener of its exit.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.on("exit", () => {
    for (;;);
  });
  process.exit(7);
}
