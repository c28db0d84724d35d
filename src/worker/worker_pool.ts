import fastq from "fastq";
import type { LoadedModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import { cut, errorText } from "../text/describe.ts";
import type { Redact } from "../text/redact.ts";
import { type DetectFacts, detectIn, type JobResult, loadIn, MAX_TEXT } from "./job.ts";
import { PostAnswers } from "./post_answers.ts";
import { Worker, type WorkerSettings } from "./worker.ts";

/** Alarms mostly wait for a service, which takes four requests at once. */
const MAX_WORKERS = 16;
/** Runs in a process of their own, side by side. */
const MAX_REPEATS = 8;
/** Characters of the list of files in a message. */
const MAX_FILES = 500;
/** Milliseconds, for each worker there is, that a job waits before another one is started. */
const PATIENCE = 200;
/** Milliseconds of an average job below which another worker would not help: the engine is the bottleneck. */
const QUICK_JOB = 25;

interface Waiting {
  readonly memory: number;
  /** Of the module: a worker that has it loaded need not load it again. */
  readonly path: string;
  take(worker: Worker): void;
}

export interface WorkerPoolSettings extends Omit<WorkerSettings, "memory"> {
  /** For loading modules; `detect` has the limits of its alarm. */
  readonly limits: DetectLimits;
  /** Aborted when the tick's time is up: running jobs are ended and none is started. */
  readonly signal: AbortSignal;
  /** Removes secrets from detections. */
  readonly redact: Redact;
  /** A worker that was started before; `close` ends it too. */
  readonly first?: Worker | undefined;
}

export type Workers = Pick<WorkerPool, "load" | "detect" | "close">;

/**
 * The processes that alarm modules run in. Each runs one module at a time, so that a module can harm only its
 * own outcome; one that leaves its process as it was is followed by another.
 */
export class WorkerPool {
  readonly #settings: WorkerPoolSettings;
  readonly #all = new Set<Worker>();
  readonly #idle = new Set<Worker>();
  readonly #waiting: Waiting[] = [];
  /** Modules that were loaded in a process in which another had run: it may have changed what they export. */
  readonly #loadedShared = new Set<string>();
  /** Those that run one job again and end. */
  readonly #alone = new Set<Worker>();
  #timer: NodeJS.Timeout | undefined;
  #finishedJobs = 0;
  readonly #repeats = fastq.promise((run: () => Promise<void>) => run(), MAX_REPEATS);
  readonly #text = { left: MAX_TEXT * 2 ** 20 };

  constructor(settings: WorkerPoolSettings) {
    this.#settings = settings;
    const { first } = settings;
    if (first === undefined) return;
    this.#all.add(first);
    this.#idle.add(first);
  }

  /** Imports a module. Never rejects. */
  async load(file: ModuleFile): Promise<LoadedModule> {
    const { signal, limits, log } = this.#settings;
    const job = async (worker: Worker): Promise<JobResult<LoadedModule>> => {
      const result = await loadIn(worker, file, limits.timeout, signal);
      if (worker.isShared) this.#loadedShared.add(file.path);
      return result;
    };
    return (await this.#run({ memory: limits.memory, path: file.path }, job, log)).value;
  }

  /** Runs a module's `detect`. Never rejects. */
  async detect(given: Omit<DetectFacts, "redact" | "text" | "posts">): Promise<Outcome> {
    const { signal, redact } = this.#settings;
    const { file, limits } = given;
    const facts = { ...given, redact, text: this.#text, posts: new PostAnswers() };
    const logged = new Set<string>();
    const job = async (worker: Worker, isRepeat: boolean): Promise<JobResult<Outcome>> => {
      const log = (message: string): void => {
        if (!isRepeat) logged.add(message);
        if (!isRepeat || !logged.has(message)) given.log(message);
      };
      if (!isRepeat) return await detectIn(worker, { ...facts, log }, signal);
      // Another module may also have changed how this one was loaded.
      const { value: loaded } = await loadIn(worker, file, limits.timeout, signal);
      const params = loaded.ok ? given.paramsOf(loaded.module) : given.params;
      return await detectIn(worker, { ...facts, params, log }, signal);
    };
    const need = { memory: limits.memory, path: file.path };
    const { value, unconfirmed } = await this.#run(need, job, given.log);
    if (unconfirmed === undefined) return value;
    const isComplete = value.status === "complete";
    // What it remembered and has read is as doubtful as what it clears.
    const forgets = { memory: undefined, positions: new Map<string, string>() };
    if (!isComplete && value.clears.size === 0) return { ...value, ...forgets };
    const reason = `nothing clears, because detect could not run in a process of its own: ${unconfirmed}`;
    const status = isComplete ? "partial" : value.status;
    return {
      ...value,
      status,
      reasons: [...value.reasons, reason],
      clears: new Map(),
      ...forgets,
    };
  }

  /** Ends all workers, and all processes that modules have started in their groups. */
  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#waiting.length = 0;
    this.#repeats.pause();
    const all = [...this.#all, ...this.#alone];
    for (const worker of all) worker.kill("the tick has ended");
    await Promise.all(all.map((worker) => worker.ended));
  }

  /**
   * Runs the job. A result that matters, from a process in which another module has run, is replaced by that of a
   * second run in a process of its own; `unconfirmed` says why there is none.
   */
  async #run<T>(
    need: Omit<Waiting, "take">,
    job: (worker: Worker, isRepeat: boolean) => Promise<JobResult<T>>,
    log: (message: string) => void,
  ): Promise<{ readonly value: T; readonly unconfirmed?: string }> {
    const worker = await this.#acquire(need);
    const first = await job(worker, false);
    this.#finishedJobs += 1;
    const isShared = worker.isShared || this.#loadedShared.has(need.path);
    const isFinal = !first.matters || !isShared;
    this.#release(worker, first.clean);
    if (isFinal) return first;
    try {
      let second = first;
      await this.#repeats.push(async () => {
        second = await this.#runAlone(need.memory, (own) => job(own, true));
      });
      if (second.matters) return second;
      const files = cut([...worker.files].join(", "), MAX_FILES);
      log(
        `ran again in a process of its own, which counts; before, one of these changed its process: ${files}`,
      );
      this.#drop(worker);
      return second;
    } catch (error) {
      return { value: first.value, unconfirmed: errorText(error) };
    }
  }

  /** Rejects if the tick's time is up. */
  async #runAlone<T>(memory: number, job: (worker: Worker) => Promise<T>): Promise<T> {
    const { signal } = this.#settings;
    signal.throwIfAborted();
    const worker = this.#newWorker(memory);
    this.#alone.add(worker);
    try {
      const result = await job(worker);
      signal.throwIfAborted();
      return result;
    } finally {
      this.#alone.delete(worker);
      worker.kill("it is not needed any more");
    }
  }

  async #acquire(need: Omit<Waiting, "take">): Promise<Worker> {
    for (const worker of this.#idle) {
      if (!worker.isAlive || need.memory !== worker.memory) continue;
      this.#idle.delete(worker);
      return worker;
    }
    return await new Promise((resolve) => {
      this.#waiting.push({ ...need, take: resolve });
      if (this.#all.size === this.#idle.size) this.#startOne();
      else this.#startLater();
    });
  }

  #release(worker: Worker, clean: boolean): void {
    if (clean && worker.isAlive) {
      const suited = this.#waiting.filter(({ memory }) => memory === worker.memory);
      const next = suited.find(({ path }) => worker.files.has(path)) ?? suited[0];
      if (next !== undefined) {
        this.#waiting.splice(this.#waiting.indexOf(next), 1);
        next.take(worker);
        return;
      }
      this.#idle.add(worker);
    } else this.#drop(worker);
    this.#startOne();
  }

  /** Starts a worker for the first waiting job, in place of an idle one if there are too many. */
  #startOne(): void {
    const next = this.#waiting[0];
    if (next === undefined) return;
    if (this.#all.size >= MAX_WORKERS) {
      const [unused] = this.#idle;
      if (unused === undefined) return;
      this.#drop(unused);
    }
    this.#waiting.shift();
    const worker = this.#newWorker(next.memory);
    this.#all.add(worker);
    next.take(worker);
    this.#startLater();
  }

  #newWorker(memory: number): Worker {
    const { cpuTime, log } = this.#settings;
    return new Worker({ memory, cpuTime, log });
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

  /** What runs in it ends, and may run again in a process of its own. */
  #drop(worker: Worker): void {
    this.#all.delete(worker);
    this.#idle.delete(worker);
    worker.kill("it is not needed any more");
  }
}
