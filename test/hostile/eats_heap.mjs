// Allocates objects without end.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const kept = [];
  for (;;) kept.push({ kept: kept.length, more: [kept.length] });
}
