// Throws an error whose parts throw.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const no = () => {
    throw new Error("no");
  };
  throw Object.defineProperties(new Error("x"), {
    message: { get: no },
    name: { get: no },
    stack: { get: no },
  });
}
