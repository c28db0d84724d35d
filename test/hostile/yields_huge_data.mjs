// Yields a detection with 100 MB of data.
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  yield { dedupeKey: "huge", data: { text: "x".repeat(100_000_000) } };
  yield { dedupeKey: "last", subject: "Seen last" };
}
