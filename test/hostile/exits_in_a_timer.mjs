// Exits half a second after detect has ended, in a timer that keeps nothing waiting.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  setTimeout(() => process.exit(6), 500).unref();
}
