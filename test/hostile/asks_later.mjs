// Goes on asking when detect has ended.
export async function* detect(client) {
  yield { dedupeKey: "before", subject: "Seen before" };
  setInterval(() => client.get("/missing/").catch(() => {}), 1).unref();
}
