import { errorText } from "../core/describe.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import type { LoadedModule } from "./alarm_module.ts";
import { Details } from "./details.ts";
import type { ModuleFile } from "./discover.ts";
import { type DetectFacts, detectIn, type JobResult, loadIn } from "./job.ts";
import { OutcomeSoFar } from "./outcome.ts";
import { Runner } from "./runner.ts";

/** Processes at the same time. Alarms mostly wait for a service, which takes four requests at once. */
const MOST = 16;
/** Milliseconds, for each process there is, that a job waits before another one is started. */
const PATIENCE = 200;
/** Milliseconds of a job, on average, below which the engine is what the others wait for, not a process. */
const QUICK = 25;

/** What a job needs. */
interface Need {
  readonly memory: number;
  /** Of the module: a process that has it loaded need not load it again. */
  readonly path: string;
  /** Only a process in which nothing has run yet will do. */
  readonly fresh: boolean;
}

interface Waiting extends Need {
  take(runner: Runner): void;
}

export interface RunnersSettings {
  /** For the processes that load modules; those that run `detect` have their alarm's own. */
  readonly limits: DetectLimits;
  /** Seconds of CPU time of one process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
  /** The tick's time is up: what runs is ended, and nothing more begins. */
  readonly signal: AbortSignal;
  /** A process that was started before; `close` ends it too. */
  readonly first?: Runner | undefined;
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
  readonly #details = new Details();
  #timer: NodeJS.Timeout | undefined;
  /** Jobs that are over. */
  #done = 0;

  constructor(settings: RunnersSettings) {
    this.#settings = settings;
    const { first } = settings;
    if (first === undefined) return;
    this.#all.add(first);
    this.#idle.push(first);
  }

  /** What a module says of itself. Never rejects. */
  async load(file: ModuleFile): Promise<LoadedModule> {
    const { signal } = this.#settings;
    if (signal.aborted)
      return { ok: false, fault: `not loaded ${file.path}: ${errorText(signal.reason)}` };
    const { memory, timeout } = this.#settings.limits;
    const need = { memory, path: file.path };
    return await this.#run(need, (runner) => loadIn(runner, file, timeout, signal));
  }

  /** Runs a module's `detect`. Never rejects. What it yielded can be read until `close`. */
  async detect(given: Omit<DetectFacts, "details">): Promise<Outcome> {
    const { signal } = this.#settings;
    const facts = { ...given, details: this.#details };
    const need = { memory: facts.limits.memory, path: facts.file.path };
    return await this.#run(need, async (runner) => {
      if (!signal.aborted) return await detectIn(runner, facts, signal);
      const none = new OutcomeSoFar({ ...facts, needsDetails: () => false });
      none.fail({ text: `${errorText(signal.reason)}, before it began`, isFetch: false });
      return { value: none.outcome(0), clean: true, doubtful: false };
    });
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const all = [...this.#all];
    for (const runner of all) runner.kill("the tick has ended");
    await Promise.all(all.map((runner) => runner.ended()));
    this.#details.close();
  }

  /** Where a module that ran before in the same process may be the cause of a failure, it is tried again. */
  async #run<T>(
    need: Omit<Need, "fresh">,
    job: (runner: Runner) => Promise<JobResult<T>>,
  ): Promise<T> {
    const first = await this.#runOnce({ ...need, fresh: false }, job);
    if (!first.retry || this.#settings.signal.aborted) return first.value;
    return (await this.#runOnce({ ...need, fresh: true }, job)).value;
  }

  async #runOnce<T>(
    need: Need,
    job: (runner: Runner) => Promise<JobResult<T>>,
  ): Promise<{ readonly value: T; readonly retry: boolean }> {
    const runner = await this.#acquire(need);
    const { value, clean, doubtful } = await job(runner);
    this.#done += 1;
    this.#release(runner, clean);
    return { value, retry: doubtful && runner.isShared };
  }

  async #acquire(need: Need): Promise<Runner> {
    const at = this.#idle.findIndex((runner) => runner.isAlive && suits(need, runner));
    const [found] = at < 0 ? [] : this.#idle.splice(at, 1);
    if (found !== undefined) return found;
    return await new Promise((resolve) => {
      this.#waiting.push({ ...need, take: resolve });
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
    const suited = this.#waiting.filter((waiting) => suits(waiting, runner));
    const next = suited.find(({ path }) => runner.hasRun(path)) ?? suited[0];
    if (next !== undefined) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
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
    next.take(this.#start(next.memory));
    this.#startLater();
  }

  #start(memory: number): Runner {
    const { cpuTime, log } = this.#settings;
    const runner = new Runner({ memory, cpuTime, log });
    this.#all.add(runner);
    return runner;
  }

  /** Most jobs are short: one process does many of them in the time that another takes to start. */
  #startLater(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#timer !== undefined) return;
    const done = this.#done;
    const patience = PATIENCE * this.#all.size;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const areQuick = (this.#done - done) * QUICK > patience * this.#all.size;
      if (areQuick && this.#waiting[0] !== first) this.#startLater();
      else this.#startOne();
    }, patience);
  }

  #drop(runner: Runner, why: string): void {
    this.#all.delete(runner);
    runner.kill(why);
  }
}

function suits({ memory, fresh }: Need, runner: Runner): boolean {
  return !fresh && memory === runner.memory;
}
