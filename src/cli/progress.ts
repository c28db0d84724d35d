/** Seconds. */
const QUIET = 2;
/** Milliseconds. */
const EVERY = 1_000;
/** Begins the line anew. */
const CLEAR = "\r\u001b[K";

type Terminal = Pick<NodeJS.WriteStream, "write"> & { readonly isTTY?: boolean };

export interface Progress {
  /** Clears its line, for one that follows; it is shown again. */
  clear(): void;
  end(): void;
}

/** After two seconds, shows on a terminal how long `detect` has been running and how many requests it has sent. */
export function showProgress(
  requests: () => number,
  terminal: Terminal = process.stderr,
): Progress {
  if (terminal.isTTY !== true) return { clear: () => {}, end: () => {} };
  const started = performance.now();
  let isShown = false;
  const timer = setInterval(() => {
    const seconds = Math.floor((performance.now() - started) / 1000);
    if (seconds < QUIET) return;
    isShown = true;
    terminal.write(
      `${CLEAR}detect has been running for ${seconds} s; ${requests()} request(s) so far`,
    );
  }, EVERY);
  const clear = (): void => {
    if (isShown) terminal.write(CLEAR);
    isShown = false;
  };
  const end = (): void => {
    clearInterval(timer);
    clear();
  };
  return { clear, end };
}
