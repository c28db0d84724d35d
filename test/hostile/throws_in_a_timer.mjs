// Throws in a timer while detect still runs.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  setTimeout(() => {
    throw new Error("thrown in a timer");
  }, 10);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
