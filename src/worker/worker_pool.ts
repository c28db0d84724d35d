import type { LoadedModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import type { Redact } from "../text/redact.ts";
import { type DetectFacts, detectIn, type JobResult, loadIn, MAX_TEXT } from "./job.ts";
import { Worker } from "./worker.ts";

/** Alarms mostly wait for a service, which takes four requests at once. */
const MAX_WORKERS = 16;
/** Milliseconds, for each worker there is, that a job waits before another one is started. */
const PATIENCE = 200;
/** Milliseconds of an average job below which another worker would not help: the engine is the bottleneck. */
const QUICK_JOB = 25;

/** A job that waits for a worker. */
interface Waiting {
  readonly memory: number;
  /** Of the module: a worker that has it loaded need not load it again. */
  readonly path: string;
  /** Only a worker in which nothing has run yet will do. */
  readonly fresh: boolean;
  take(worker: Worker): void;
}

export interface WorkerPoolSettings {
  /** For loading modules; `detect` has the limits of its alarm. */
  readonly limits: DetectLimits;
  /** Seconds of CPU time of one process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
  /** Aborted when the tick's time is up: running jobs are ended and none is started. */
  readonly signal: AbortSignal;
  /** Removes secrets from detections. */
  readonly redact: Redact;
  /** A worker that was started before; `close` ends it too. */
  readonly first?: Worker | undefined;
}

/** Runs alarm modules. */
export type Workers = Pick<WorkerPool, "load" | "detect" | "close">;

/**
 * The processes that alarm modules run in. Each runs one module at a time, so that a module can harm only its
 * own outcome; one that leaves its process as it was is followed by another.
 */
export class WorkerPool {
  readonly #settings: WorkerPoolSettings;
  readonly #all = new Set<Worker>();
  readonly #idle: Worker[] = [];
  readonly #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  #finishedJobs = 0;
  readonly #text = { left: MAX_TEXT * 2 ** 20 };

  constructor(settings: WorkerPoolSettings) {
    this.#settings = settings;
    const { first } = settings;
    if (first === undefined) return;
    this.#all.add(first);
    this.#idle.push(first);
  }

  /** Imports a module. Never rejects. */
  async load(file: ModuleFile): Promise<LoadedModule> {
    const { signal, limits } = this.#settings;
    return await this.#run(limits.memory, file.path, (worker) =>
      loadIn(worker, file, limits.timeout, signal),
    );
  }

  /** Runs a module's `detect`. Never rejects. */
  async detect(given: Omit<DetectFacts, "redact" | "text">): Promise<Outcome> {
    const { signal, redact } = this.#settings;
    return await this.#run(given.limits.memory, given.file.path, (worker) =>
      detectIn(worker, { ...given, redact, text: this.#text }, signal),
    );
  }

  /** Ends all workers. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    const all = [...this.#all];
    for (const worker of all) worker.kill("the tick has ended");
    await Promise.all(all.map((worker) => worker.ended));
  }

  /** Runs the job, and again in a fresh worker if a module that ran before it may be the cause of an error. */
  async #run<T>(
    memory: number,
    path: string,
    job: (worker: Worker) => Promise<JobResult<T>>,
  ): Promise<T> {
    for (let fresh = false; ; fresh = true) {
      const worker = await this.#acquire({ memory, path, fresh });
      const { value, clean, retry } = await job(worker);
      this.#finishedJobs += 1;
      this.#release(worker, clean);
      if (fresh || !retry || worker.files.size < 2 || this.#settings.signal.aborted) return value;
    }
  }

  async #acquire(need: Omit<Waiting, "take">): Promise<Worker> {
    const idle = this.#idle.find((worker) => worker.isAlive && suits(need, worker));
    if (idle !== undefined) {
      this.#idle.splice(this.#idle.indexOf(idle), 1);
      return idle;
    }
    return await new Promise((resolve) => {
      this.#waiting.push({ ...need, take: resolve });
      if (this.#all.size === this.#idle.length) this.#startOne();
      else this.#startLater();
    });
  }

  #release(worker: Worker, clean: boolean): void {
    if (clean && worker.isAlive) {
      const suited = this.#waiting.filter((waiting) => suits(waiting, worker));
      const next = suited.find(({ path }) => worker.files.has(path)) ?? suited[0];
      if (next !== undefined) {
        this.#waiting.splice(this.#waiting.indexOf(next), 1);
        next.take(worker);
        return;
      }
      this.#idle.push(worker);
    } else this.#drop(worker);
    this.#startOne();
  }

  /** Starts a worker for the first waiting job, in place of an idle one if there are too many. */
  #startOne(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    if (this.#all.size >= MAX_WORKERS) {
      const unused = this.#idle.shift();
      if (unused === undefined) return;
      this.#drop(unused);
    }
    this.#waiting.shift();
    const { cpuTime, log } = this.#settings;
    const worker = new Worker({ memory: next.memory, cpuTime, log });
    this.#all.add(worker);
    next.take(worker);
    this.#startLater();
  }

  /** Most jobs are short: one worker does many of them in the time that another takes to start. */
  #startLater(): void {
    const [first] = this.#waiting;
    if (first === undefined || this.#timer !== undefined) return;
    const finished = this.#finishedJobs;
    const patience = PATIENCE * this.#all.size;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const areQuick = (this.#finishedJobs - finished) * QUICK_JOB > patience * this.#all.size;
      if (areQuick && this.#waiting[0] !== first) this.#startLater();
      else this.#startOne();
    }, patience);
  }

  #drop(worker: Worker): void {
    this.#all.delete(worker);
    worker.kill("it is not needed any more");
  }
}

function suits({ memory, fresh }: Omit<Waiting, "take">, worker: Worker): boolean {
  return !fresh && memory === worker.memory;
}
