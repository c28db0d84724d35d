// Prints to the console, with control characters.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  console.log("\u001b[2Jprinted \u0007");
  console.error("\u001b]0;title\u0007 and more");
  process.stdout.write("{}");
}
