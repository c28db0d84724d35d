// Loops for ever after a detection.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  for (;;);
}
