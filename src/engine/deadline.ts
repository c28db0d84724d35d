import { setMaxListeners } from "node:events";
import { ExpectedError } from "../core/expected_error.ts";
import { DatabaseError } from "../store/database.ts";

/** A tick that has run for this many times its limit is dead or hangs. */
const STALE_LIMITS = 2;
/** What a tick gets to record its end, as a share of its limit, and at least so many seconds. */
const CLOSING_SHARE = 1 / 8;
const CLOSING_TIME = 5;

/** The share of its limit for which a tick waits for a channel that asks for it. */
const PATIENCE_SHARE = 3 / 4;

/** Seconds after which the holder of the tick's lock cannot be a tick that still works. */
export function staleAfter(tickTimeout: number): number {
  return STALE_LIMITS * tickTimeout;
}

export interface Deadline {
  /** Aborted when the tick must end: its time is up, a signal stops it, or it has lost its lock. */
  readonly signal: AbortSignal;
  /** Aborted some seconds later: until then the tick records its end. */
  readonly closed: AbortSignal;
  /** Aborted halfway between the two if its time was up, else with `signal`: until then the alarm `engine` notifies. */
  readonly notified: AbortSignal;
  /** Until then the tick waits for a channel that asks for it, by `performance.now()`. */
  readonly patientUntil: number;
  /** Ends the tick early. */
  end(reason: Error): void;
}

/** The time limit of a tick: it must end before the next one begins. */
export function startDeadline(seconds: number): Deadline {
  const abort = new AbortController();
  const closed = new AbortController();
  const notified = new AbortController();
  // Every worker and every delivery listens.
  setMaxListeners(0, abort.signal);
  const end = (reason: Error, closingTime = CLOSING_TIME, notifyTime = 0): void => {
    if (abort.signal.aborted) return;
    abort.abort(reason);
    setTimeout(() => notified.abort(reason), notifyTime * 1000).unref();
    const gone = new DatabaseError(
      `no response from the database within ${closingTime} s after the end of the tick's time; check the server and the network; the next tick tries again`,
    );
    setTimeout(() => closed.abort(gone), closingTime * 1000).unref();
  };
  const late = new ExpectedError(`out of time: the tick's limit of ${seconds} s has passed`);
  const closingTime = Math.max(CLOSING_TIME, seconds * CLOSING_SHARE);
  setTimeout(() => end(late, closingTime, closingTime / 2), seconds * 1000).unref();
  const patientUntil = performance.now() + seconds * 1000 * PATIENCE_SHARE;
  return {
    signal: abort.signal,
    closed: closed.signal,
    notified: notified.signal,
    patientUntil,
    end,
  };
}
