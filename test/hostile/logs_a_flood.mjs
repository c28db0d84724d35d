// Writes 100 MB, with control characters, into the log.
export async function* detect(client) {
  yield { dedupeKey: "before", subject: "Seen before" };
  const line = `\u001b[31m${"x".repeat(100_000)}`;
  for (let at = 0; at < 1000; at++) client.log(line);
}
