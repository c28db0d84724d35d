// Ends the same event without end.
export function* detect() {
  for (;;) yield { dedupeKey: "same", clear: "over" };
}
