// Returns an iterator that never ends.
export const detect = () => ({
  [Symbol.iterator]: () => ({ next: () => ({ done: false, value: { dedupeKey: "before" } }) }),
});
