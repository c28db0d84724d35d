// Returns an iterator whose next throws.
export const detect = () => ({
  [Symbol.iterator]: () => ({
    next: () => {
      throw new Error("no next");
    },
  }),
});
