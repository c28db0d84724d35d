// Yields detections whose data no JSON can hold; all of them can be stored.
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const cyclic = {};
  cyclic.self = cyclic;
  const mined = Object.defineProperty({}, "mine", {
    enumerable: true,
    get: () => {
      throw new Error("no");
    },
  });
  let deep = {};
  for (let at = 0; at < 100_000; at++) deep = { deep };
  const data = {
    cyclic,
    mined,
    deep,
    big: 5n,
    symbol: Symbol("s"),
    call: () => {},
    not: Number.NaN,
  };
  yield { dedupeKey: "odd", subject: "\u0000 \ud800 \u001b[31m", data };
  yield {
    dedupeKey: "k".repeat(10_000_000),
    subject: "s".repeat(1_000_000),
    body: "b".repeat(1_000_000),
  };
}
