// Allocates buffers outside of the heap without end.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const kept = [];
  for (;;) {
    kept.push(Buffer.alloc(8 * 2 ** 20, 1));
    await undefined;
  }
}
