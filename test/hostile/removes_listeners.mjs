// Takes the listeners for errors away, and throws behind its back.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  process.removeAllListeners();
  setTimeout(() => {
    throw new Error("nobody listens");
  }, 10);
  await new Promise((resolve) => setTimeout(resolve, 500));
}
