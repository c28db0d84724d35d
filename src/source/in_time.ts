/**
 * The promise's result, or the signal's reason if that comes first. The promise itself goes on: it may
 * be shared with others.
 */
export async function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody may be left to hear of a late failure; without this it would end the process.
  promise.catch(() => {});
  return await new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
