// Throws null.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  throw null;
}
