// Aborts.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.abort();
}
