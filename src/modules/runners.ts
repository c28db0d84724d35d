import { errorText } from "../core/describe.ts";
import type { Outcome } from "../core/model.ts";
import type { LoadedModule } from "./alarm_module.ts";
import type { ModuleFile } from "./discover.ts";
import { type DetectFacts, detectIn, type JobResult, loadIn } from "./job.ts";
import { OutcomeSoFar } from "./outcome.ts";
import { Runner } from "./runner.ts";

/** Processes at the same time. Alarms mostly wait for a service, which takes four requests at once. */
const MOST = 8;
/** Milliseconds that a job waits for a busy process before another one is started. */
const PATIENCE = 200;

interface Waiting {
  readonly memory: number;
  take(runner: Runner): void;
}

export interface RunnersSettings {
  /** MiB for the processes that load modules; those that run `detect` have their alarm's own. */
  readonly memory: number;
  /** Seconds of CPU time of one process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
  /** The tick's time is up: what runs is ended, and nothing more begins. */
  readonly signal: AbortSignal;
}

/** Where alarm modules run. */
export type ModuleHost = Pick<Runners, "load" | "detect" | "close">;

/**
 * The processes that alarm modules run in. Each runs one module at a time, so that what a module does to
 * its process is its own trouble; one that leaves its process as it was hands it on to the next.
 */
export class Runners {
  readonly #settings: RunnersSettings;
  readonly #all = new Set<Runner>();
  readonly #idle: Runner[] = [];
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: RunnersSettings) {
    this.#settings = settings;
  }

  /** What a module says of itself. Never rejects. */
  async load(file: ModuleFile): Promise<LoadedModule> {
    const { signal } = this.#settings;
    if (signal.aborted)
      return { ok: false, fault: `not loaded ${file.path}: ${errorText(signal.reason)}` };
    return await this.#run(this.#settings.memory, (runner) => loadIn(runner, file, signal));
  }

  /** Runs a module's `detect`. Never rejects. */
  async detect(facts: DetectFacts): Promise<Outcome> {
    const { signal } = this.#settings;
    return await this.#run(facts.limits.memory, async (runner) => {
      if (!signal.aborted) return await detectIn(runner, facts, signal);
      const none = new OutcomeSoFar();
      none.fail({ text: `${errorText(signal.reason)}, before it began`, isFetch: false });
      return { value: none.outcome(0), clean: true };
    });
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const all = [...this.#all];
    for (const runner of all) runner.kill("the tick has ended");
    await Promise.all(all.map((runner) => runner.ended()));
  }

  async #run<T>(memory: number, job: (runner: Runner) => Promise<JobResult<T>>): Promise<T> {
    const runner = await this.#acquire(memory);
    const { value, clean } = await job(runner);
    this.#release(runner, clean);
    return value;
  }

  async #acquire(memory: number): Promise<Runner> {
    const at = this.#idle.findIndex((runner) => runner.memory === memory && runner.isAlive);
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) return found;
    return await new Promise((resolve) => {
      this.#waiting.push({ memory, take: resolve });
      if (this.#busy === 0) this.#startOne();
      else this.#startLater();
    });
  }

  get #busy(): number {
    return this.#all.size - this.#idle.length;
  }

  #release(runner: Runner, clean: boolean): void {
    if (!clean || !runner.isAlive) {
      this.#drop(runner, "its work is done");
      if (this.#waiting.length > 0) this.#startOne();
      return;
    }
    const at = this.#waiting.findIndex(({ memory }) => memory === runner.memory);
    const [next] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (next !== undefined) {
      next.take(runner);
      return;
    }
    this.#idle.push(runner);
    if (this.#waiting.length > 0) this.#startOne();
  }

  /** Starts a process for the first job that waits, in the place of one that has nothing to do if need be. */
  #startOne(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    if (this.#all.size >= MOST) {
      const unused = this.#idle.shift();
      if (unused === undefined) return;
      this.#drop(unused, "its memory limit is another one");
    }
    this.#waiting.shift();
    const { cpuTime, log } = this.#settings;
    const runner = new Runner({ memory: next.memory, cpuTime, log });
    this.#all.add(runner);
    next.take(runner);
    this.#startLater();
  }

  /** Most jobs are short: one process does many of them in the time that another takes to start. */
  #startLater(): void {
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#startOne();
    }, PATIENCE);
  }

  #drop(runner: Runner, why: string): void {
    this.#all.delete(runner);
    runner.kill(why);
  }
}
