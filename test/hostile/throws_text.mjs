// Throws a text.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  throw "only a text";
}
