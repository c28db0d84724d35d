/** The promise's result, or the signal's reason if that comes first. The promise itself continues. */
export async function inTime<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // A later rejection would otherwise be unhandled and end the process.
  promise.catch(() => {});
  return await new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
