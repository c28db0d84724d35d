import { setMaxListeners } from "node:events";

/** A tick that has run for this many times its limit is dead or hangs. */
const STALE_LIMITS = 2;

/** Seconds after which the holder of the tick's lock cannot be a tick that still works. */
export function staleAfter(tickTimeout: number): number {
  return STALE_LIMITS * tickTimeout;
}

export interface Deadline {
  /** Aborted when the tick's time is up. */
  readonly signal: AbortSignal;
  stop(): void;
}

/** The time limit of a tick: it must end before the next one begins. */
export function startDeadline(seconds: number): Deadline {
  const abort = new AbortController();
  // Every worker and every delivery listens.
  setMaxListeners(0, abort.signal);
  const reason = new Error(`out of time: the tick's limit of ${seconds} s has passed`);
  const timer = setTimeout(() => abort.abort(reason), seconds * 1000);
  return { signal: abort.signal, stop: () => clearTimeout(timer) };
}
