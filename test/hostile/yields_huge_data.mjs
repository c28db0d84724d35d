// Yields a detection with 20 MB of data.
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  yield { dedupeKey: "huge", data: { text: "x".repeat(20_000_000) } };
  yield { dedupeKey: "last", subject: "Seen last" };
}
