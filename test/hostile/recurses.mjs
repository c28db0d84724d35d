// Calls itself too deep.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const deeper = () => deeper() + 1;
  deeper();
}
