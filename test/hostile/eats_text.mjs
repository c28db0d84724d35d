// Makes one text without end.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  let text = "x".repeat(1000);
  for (;;) {
    text += text;
    Buffer.from(text);
  }
}
