import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { moduleEnvironment } from "./environment.ts";
import { frameLine } from "./frames.ts";
import { lineSplitter } from "./lines.ts";
import type { Task, ToWorker } from "./protocol.ts";
import { residentMemory } from "./resident_memory.ts";
import { parseWorkerLine, type WorkerMessage } from "./worker_message.ts";

/** Also where this file runs from its source: a module's process runs what has been built. */
const MAIN = fileURLToPath(new URL("../../dist/worker/child/main.js", import.meta.url));

/**
 * The shell sets what Node cannot: no core file, and an end to the CPU time, so that not even a module
 * that computes for ever outlives an engine that was killed. Where there is a way to end with the engine
 * at once, it is taken; what waits ends by itself, as its pipe does.
 */
const SHELL = `ulimit -c 0; ulimit -t "$1"; shift
  with="setpriv --pdeathsig KILL"; $with true 2>/dev/null || with=; exec $with "$@"`;

/** Modules are linked here, which Node calls an experiment and warns of. */
const FLAGS = ["--experimental-vm-modules", "--no-warnings"];

/** Characters of one message: a detection is far smaller. */
const LONGEST_LINE = 16 * 2 ** 20;
/** Characters of output that is kept, to say why the process died. */
const LAST_WORDS = 4_000;
/** Characters that modules may print into the log. */
const MOST_PRINTED = 64 * 2 ** 10;
/** Milliseconds between two looks at the memory in use. */
const LOOK_EVERY = 50;
/** MiB of a process that has not yet done anything; not the module's. */
const OWN_MEMORY = 96;
/** Milliseconds that what a dead process said may take to arrive: another may hold its pipes open. */
const LAST_MESSAGES = 200;
const NO_BODY = Buffer.alloc(0);
/** Milliseconds in which a process that has closed its pipe to the engine may end by itself. */
const CLOSING = 100;

export interface WorkerSettings {
  /** MiB. */
  readonly memory: number;
  /** Seconds of CPU time, after which the system ends the process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
}

/** Who hears what the process says, while it has a job. */
export interface Listener {
  message(message: WorkerMessage): void;
  /** The process is gone; in words for the module's author. */
  died(cause: string): void;
}

/** One process that runs alarm modules, one after the other. */
export class Worker {
  readonly memory: number;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #log: (message: string) => void;
  #listener: Listener | undefined;
  #job = "";
  readonly #files = new Set<string>();
  #lastWords = "";
  #printed = 0;
  #cause: string | undefined;
  #gone = false;
  #watch: NodeJS.Timeout | undefined;
  #caughtUp: Promise<void> | undefined;
  readonly #ended: Promise<void>;

  constructor({ memory, cpuTime, log }: WorkerSettings) {
    this.memory = memory;
    this.#log = log;
    const flags = [`--max-old-space-size=${Math.ceil(memory)}`, ...FLAGS];
    const command = [String(Math.ceil(cpuTime)), process.execPath, ...flags, MAIN];
    this.#child = spawn("/bin/sh", ["-c", SHELL, "swf-alarms", ...command], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe"],
      // A group of its own, so that what a module has started ends with it.
      detached: true,
      env: moduleEnvironment(process.env),
    });
    const [, , , output, input] = this.#child.stdio;
    if (!(output instanceof Readable) || !(input instanceof Writable))
      throw new Error("the pipes of the module's process are missing");
    this.#input = input;
    // A pipe breaks when its process dies; that is heard of otherwise.
    for (const stream of [input, output]) stream.on("error", () => {});
    output.on(
      "data",
      lineSplitter(LONGEST_LINE, (line) => this.#take(line)),
    );
    output.on("end", () => {
      setTimeout(() => this.kill("it closed the pipe to the engine"), CLOSING).unref();
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on("data", (chunk: Buffer) => this.#print(chunk.toString()));
    this.#ended = new Promise((resolve) => {
      const end = (cause: string): void => {
        this.#end(cause);
        for (const stream of this.#child.stdio) stream?.destroy();
        resolve();
      };
      this.#child.once("error", (error) => {
        end(`cannot start a process for it: ${error.message}`);
      });
      this.#child.once("exit", (code, signal) => {
        this.#killGroup();
        // Its number may soon be another's.
        this.#gone = true;
        const timer = setTimeout(() => end(this.#causeOf(code, signal)), LAST_MESSAGES);
        this.#child.once("close", () => {
          clearTimeout(timer);
          end(this.#causeOf(code, signal));
        });
      });
    });
  }

  /** Whether the process is there to take a job. */
  get isAlive(): boolean {
    return this.#cause === undefined;
  }

  /** Whether modules of several files have run in the process. */
  get isShared(): boolean {
    return this.#files.size > 1;
  }

  /** Whether a module of this file has run in the process. */
  hasRun(path: string): boolean {
    return this.#files.has(path);
  }

  /** Bytes that the process has not yet read. */
  get unread(): number {
    return this.#input.writableLength;
  }

  /** Gives the process a task; from now on it works for this listener. */
  start(task: Task, listener: Listener): void {
    if (!this.isAlive) {
      listener.died("its process had ended before");
      return;
    }
    this.#listener = listener;
    this.#files.add(task.file.path);
    this.#job = randomUUID();
    this.#printed = 0;
    this.#watch = setInterval(() => this.#checkMemory(), LOOK_EVERY);
    this.send({ ...task, job: this.#job });
  }

  /** The job is over. */
  finish(): void {
    this.#listener = undefined;
    clearInterval(this.#watch);
  }

  /** Answers a question: JSON in UTF-8, or undefined for a 404 where that is an answer. */
  respond(id: number, body: Buffer | undefined): void {
    this.send({ do: "response", id, found: body !== undefined }, body);
  }

  send(message: ToWorker, body: Buffer = NO_BODY): void {
    if (!this.#input.writable) return;
    this.#input.cork();
    this.#input.write(frameLine(JSON.stringify(message), body));
    if (body.length > 0) this.#input.write(body);
    this.#input.uncork();
  }

  /** Resolves when the process has read what it was sent, and never when it is gone. */
  async caughtUp(): Promise<void> {
    this.#caughtUp ??= new Promise((resolve) => {
      this.#input.once("drain", () => {
        this.#caughtUp = undefined;
        resolve();
      });
    });
    await this.#caughtUp;
  }

  /** Ends the process at once, whatever it does. */
  kill(cause: string): void {
    this.#cause ??= cause;
    this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined || this.#gone) return;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Nothing of it is left.
    }
  }

  /** Resolves when the process is gone. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  #take(line: string): void {
    const message = parseWorkerLine(line, this.#job);
    if (message === undefined)
      this.kill("it wrote into the pipe to the engine, which is not its own");
    else if (this.#listener === undefined) this.kill("it goes on after its end");
    // Of what it had said before it was ended only detections count: it did not end by itself.
    else if (this.isAlive || message.said === "detections") this.#listener.message(message);
  }

  #print(text: string): void {
    this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS);
    if (this.#printed > MOST_PRINTED) return;
    this.#printed += text.length;
    for (const line of text.trimEnd().split("\n")) this.#log(`printed by a module: ${line}`);
    if (this.#printed > MOST_PRINTED) this.#log("printed by a module: … and more, not shown");
  }

  #end(cause: string): void {
    clearInterval(this.#watch);
    this.#cause ??= cause;
    this.#listener?.died(this.#cause);
    this.#listener = undefined;
  }

  #causeOf(code: number | null, signal: NodeJS.Signals | null): string {
    if (/out of memory/i.test(this.#lastWords)) return this.#outOfMemory();
    if (signal === "SIGXCPU") return "out of time: it used up the CPU time that it may use";
    if (signal !== null) return `its process was ended by ${signal}`;
    const said = this.#lastWords.trim().split("\n").slice(0, 3).join(" ");
    return `its process ended with code ${code}${said === "" ? "" : `: ${said}`}`;
  }

  #outOfMemory(): string {
    return `out of memory: it used more than ${this.memory} MiB; alarm_memory in the alarm's row or in [engine] sets the limit`;
  }

  /** The limit of the heap does not cover buffers, so the whole process is looked at as well. */
  #checkMemory(): void {
    const used = residentMemory(this.#child.pid);
    if (used > this.memory + OWN_MEMORY) this.kill(this.#outOfMemory());
  }
}
