// Never lets go of the microtask queue.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  for (;;) await undefined;
}
