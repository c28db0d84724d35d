// Waits for what never comes.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  await new Promise(() => {});
}
