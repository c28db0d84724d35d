// Asks for what is not on the service.
export async function* detect(client) {
  yield { dedupeKey: "before", subject: "Seen before" };
  const paths = [
    "http://evil.example/",
    "//evil.example/",
    "../../",
    "/a\r\nX: y",
    "\u0000",
    null,
    {},
    Symbol("s"),
    5n,
  ];
  for (const path of paths)
    await Promise.resolve()
      .then(() => client.get(path))
      .catch(() => {});
  const mined = {
    toString: () => {
      throw new Error("no");
    },
  };
  for (const query of [
    null,
    5,
    { a: mined },
    { a: Symbol("s") },
    { a: "x".repeat(1_000_000) },
    [],
    new Map(),
  ])
    await Promise.resolve()
      .then(() => client.get("/things/", query))
      .catch(() => {});
}
