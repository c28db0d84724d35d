// Asks a million questions at once and reads no answer.
export async function* detect(client) {
  yield { dedupeKey: "before", subject: "Seen before" };
  for (let at = 0; at < 1_000_000; at++) client.get("/things/", { at }).catch(() => {});
}
