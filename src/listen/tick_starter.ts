import { spawn } from "node:child_process";
import { errorText } from "../text/describe.ts";
import { Trouble } from "./trouble.ts";

/** Milliseconds: the longest tick_timeout that a configuration can set, and five minutes to end. */
const LONGEST = 3_900_000;

/** Starts ticks as processes of their own, one at a time: in a container without cron this is what runs the engine. */
export class TickStarter {
  readonly #args: readonly string[];
  readonly #trouble: Trouble;
  #isRunning = false;

  /** `args` are what follows `swf-alarms`, such as `run`. */
  constructor(args: readonly string[], say: (message: string) => void) {
    this.#args = args;
    this.#trouble = new Trouble(say);
  }

  /** Does nothing while the tick that it started is running. */
  start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    // As this process was started: the link that an update of the engine changes is followed each time.
    const child = spawn(process.execPath, [process.argv[1] ?? "", ...this.#args], {
      // A session of its own: supervisord may stop the listener in the middle of a tick.
      detached: true,
      // Output would end up in the protocol.
      stdio: "ignore",
      timeout: LONGEST,
      killSignal: "SIGKILL",
    });
    child.once("error", (error) => this.#ended(errorText(error)));
    child.once("exit", (code, signal) => {
      // What an alarm or a channel failed at (1) is in the record of the tick.
      const isRecorded = code === 0 || code === 1;
      this.#ended(isRecorded ? undefined : `it ended with ${signal ?? `exit code ${code}`}`);
    });
    // It goes on when this process ends.
    child.unref();
  }

  #ended(fault: string | undefined): void {
    this.#isRunning = false;
    if (fault === undefined) this.#trouble.ended(() => "the ticks work again");
    else
      this.#trouble.began(
        `a tick failed: ${fault}; to see why, run: swf-alarms ${this.#args.join(" ")}`,
      );
  }
}
