// Yields the same without end.
export function* detect() {
  for (;;) yield { dedupeKey: "same" };
}
