// Yields severities and stages of every kind; none of them costs its detection.
export const STAGES = ["first", "second"];
export function* detect() {
  yield { dedupeKey: "before", severity: "error", stage: "second" };
  const odd = [
    "high",
    "__proto__",
    "x".repeat(1e6),
    3,
    5n,
    NaN,
    null,
    [],
    {},
    Symbol("s"),
    () => {},
  ];
  for (const [index, level] of odd.entries())
    yield { dedupeKey: `key${index}`, severity: level, stage: level };
}
