// Allocates and fills one array after the other.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const kept = [];
  for (;;) kept.push(new Float64Array(2 ** 20).fill(kept.length));
}
