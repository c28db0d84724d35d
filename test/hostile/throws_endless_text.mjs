// Throws an error with 50 MB of text, line breaks and control characters.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  throw new Error("long\n\u001b[31m".repeat(5_000_000));
}
