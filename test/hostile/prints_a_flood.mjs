// Prints 100 MB, with control characters, to both streams.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const line = `\u001b[31m\u0007 ${"x".repeat(100_000)}\n`;
  for (let at = 0; at < 500; at++) {
    process.stdout.write(line);
    process.stderr.write(line);
  }
}
