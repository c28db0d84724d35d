// Swallows every failed request.
export async function* detect(client) {
  yield { dedupeKey: "before", subject: "Seen before" };
  await client.get("/missing/").catch(() => {});
}
