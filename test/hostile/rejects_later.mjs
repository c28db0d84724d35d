// Leaves a promise that fails when detect has ended.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  Promise.resolve().then(() => {
    throw new Error("rejected behind its back");
  });
}
