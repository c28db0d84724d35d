// Exits in detect.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.exit(0);
}
