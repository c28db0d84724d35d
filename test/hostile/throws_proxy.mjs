// Throws a proxy that throws at everything.
export async function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const no = () => {
    throw new Error("no");
  };
  throw new Proxy(
    {},
    { get: no, has: no, getPrototypeOf: no, ownKeys: no, getOwnPropertyDescriptor: no },
  );
}
