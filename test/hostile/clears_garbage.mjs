// Ends the active event with all that is no reason.
export function* detect() {
  yield { dedupeKey: "before", subject: "Seen before" };
  const no = () => {
    throw new Error("no");
  };
  for (const clear of [null, "", " ", 5n, Symbol("s"), {}, ["over"], no, "\u0000"])
    yield { dedupeKey: "old", clear };
  yield Object.defineProperty({ dedupeKey: "old" }, "clear", { get: no });
  yield { dedupeKey: "old", clear: "over", subject: "Old" };
}
