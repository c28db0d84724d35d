// Asks a service past the engine.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  await fetch("http://127.0.0.1:9/").catch(() => {});
}
