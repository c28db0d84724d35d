// Matches an expression that takes for ever.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  /^(a+)+$/.test(`${"a".repeat(100)}b`);
}
