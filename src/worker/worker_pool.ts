import type { LoadedModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import { errorText } from "../text/describe.ts";
import type { Redact } from "../text/redact.ts";
import { Details } from "./details.ts";
import { type DetectFacts, detectIn, type JobResult, loadIn } from "./job.ts";
import { OutcomeSoFar } from "./outcome.ts";
import { Worker } from "./worker.ts";

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
  take(worker: Worker): void;
}

export interface WorkerPoolSettings {
  /** For the processes that load modules; those that run `detect` have their alarm's own. */
  readonly limits: DetectLimits;
  /** Seconds of CPU time of one process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
  /** The tick's time is up: what runs is ended, and nothing more begins. */
  readonly signal: AbortSignal;
  /** Takes the secrets out of detections. */
  readonly redact: Redact;
  /** A process that was started before; `close` ends it too. */
  readonly first?: Worker | undefined;
}

/** Where alarm modules run. */
export type Workers = Pick<WorkerPool, "load" | "detect" | "close">;

/**
 * The processes that alarm modules run in. Each runs one module at a time, so that what a module does to
 * its process is its own trouble; one that leaves its process as it was hands it on to the next.
 */
export class WorkerPool {
  readonly #settings: WorkerPoolSettings;
  readonly #all = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #details = new Details();
  #timer: NodeJS.Timeout | undefined;
  /** Jobs that are over. */
  #done = 0;

  constructor(settings: WorkerPoolSettings) {
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
      return { ok: false, error: `not loaded ${file.path}: ${errorText(signal.reason)}` };
    const { memory, timeout } = this.#settings.limits;
    const need = { memory, path: file.path };
    return await this.#run(need, (worker) => loadIn(worker, file, timeout, signal));
  }

  /** Runs a module's `detect`. Never rejects. What it yielded can be read until `close`. */
  async detect(given: Omit<DetectFacts, "details" | "redact">): Promise<Outcome> {
    const { signal, redact } = this.#settings;
    const facts = { ...given, redact, details: this.#details };
    const need = { memory: facts.limits.memory, path: facts.file.path };
    return await this.#run(need, async (worker) => {
      if (!signal.aborted) return await detectIn(worker, facts, signal);
      const none = new OutcomeSoFar({ ...facts, needsDetails: () => false });
      none.fail({ text: `${errorText(signal.reason)}, before it began`, isFetch: false });
      return { value: none.outcome(0), clean: true, mayBeOthers: false };
    });
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const all = [...this.#all];
    for (const worker of all) worker.kill("the tick has ended");
    await Promise.all(all.map((worker) => worker.ended()));
    this.#details.close();
  }

  /** Where a module that ran before in the same process may be the cause of a failure, it is tried again. */
  async #run<T>(
    need: Omit<Need, "fresh">,
    job: (worker: Worker) => Promise<JobResult<T>>,
  ): Promise<T> {
    const first = await this.#runOnce({ ...need, fresh: false }, job);
    if (!first.retry || this.#settings.signal.aborted) return first.value;
    return (await this.#runOnce({ ...need, fresh: true }, job)).value;
  }

  async #runOnce<T>(
    need: Need,
    job: (worker: Worker) => Promise<JobResult<T>>,
  ): Promise<{ readonly value: T; readonly retry: boolean }> {
    const worker = await this.#acquire(need);
    const { value, clean, mayBeOthers: doubtful } = await job(worker);
    this.#done += 1;
    this.#release(worker, clean);
    return { value, retry: doubtful && worker.isShared };
  }

  async #acquire(need: Need): Promise<Worker> {
    const at = this.#idle.findIndex((worker) => worker.isAlive && suits(need, worker));
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

  #release(worker: Worker, clean: boolean): void {
    if (!clean || !worker.isAlive) {
      this.#drop(worker, "its work is done");
      if (this.#waiting.length > 0) this.#startOne();
      return;
    }
    const suited = this.#waiting.filter((waiting) => suits(waiting, worker));
    const next = suited.find(({ path }) => worker.hasRun(path)) ?? suited[0];
    if (next !== undefined) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.take(worker);
      return;
    }
    this.#idle.push(worker);
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

  #start(memory: number): Worker {
    const { cpuTime, log } = this.#settings;
    const worker = new Worker({ memory, cpuTime, log });
    this.#all.add(worker);
    return worker;
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

  #drop(worker: Worker, why: string): void {
    this.#all.delete(worker);
    worker.kill(why);
  }
}

function suits({ memory, fresh }: Need, worker: Worker): boolean {
  return !fresh && memory === worker.memory;
}
