// Yields fewer detections than it may, each as long as it may be.
export function* detect() {
  for (let at = 0; at < 10_000; at++) yield { dedupeKey: at, body: "x".repeat(50_000) };
}
