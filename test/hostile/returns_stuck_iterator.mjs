// Returns an iterator that hangs, also when it is told to end.
const hang = () => new Promise(() => {});
export const detect = () => ({
  [Symbol.asyncIterator]: () => ({ next: hang, return: hang }),
});
