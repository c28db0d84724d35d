// Yields a million detections, one a turn.
export async function* detect() {
  for (let at = 0; at < 1_000_000; at++) {
    await undefined;
    yield { dedupeKey: at };
  }
}
