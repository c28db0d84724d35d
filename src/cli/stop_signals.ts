import { constants } from "node:os";

const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
type StopSignal = (typeof SIGNALS)[number];

let stop: ((name: StopSignal) => void) | undefined;

/** Process 1 of a container ignores the signals that it does not listen to. */
export function listenToStopSignals(): void {
  for (const name of SIGNALS)
    process.on(name, () => {
      const first = stop;
      stop = undefined;
      if (first === undefined) process.exit(128 + constants.signals[name]);
      first(name);
    });
}

/** Calls `work` at the first signal, in place of ending the process; the next signal ends it. */
export function onStopSignal(work: (name: StopSignal) => void): void {
  stop = work;
}
