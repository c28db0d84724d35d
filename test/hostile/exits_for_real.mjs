// Exits past every listener.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.reallyExit(5);
}
