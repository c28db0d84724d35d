// Yields a million detections.
export function* detect() {
  for (let at = 0; at < 1_000_000; at++) yield { dedupeKey: at };
}
