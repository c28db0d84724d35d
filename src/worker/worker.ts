import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { SourceResponse } from "../source/requester.ts";
import { attempt } from "../text/attempt.ts";
import { errorText } from "../text/describe.ts";
import { boundedLog } from "./bounded_log.ts";
import { moduleEnvironment } from "./environment.ts";
import { frameHead } from "./frames.ts";
import { lineSplitter } from "./lines.ts";
import type { Task, ToWorker } from "./protocol.ts";
import { parseWorkerLine, type TaskEnd, type WorkerMessage } from "./worker_message.ts";

/** The built worker, also if this file runs from its source. */
const MAIN = fileURLToPath(new URL("../../dist/worker/child/main.js", import.meta.url));

/**
 * What Node cannot set: no core files, and a limit of CPU time. The subshell waits for the end of the engine,
 * however it ends: the system then closes the pipe, and the worker is killed with all processes that modules have
 * started in its group.
 */
const SHELL = `ulimit -c 0; ulimit -t "$1"; shift
  (read -r line <&5; kill -KILL 0) >&- 2>&- 3>&- 4<&- & exec "$@" 5<&-`;

/** `vm.SourceTextModule` is experimental. */
const FLAGS = ["--experimental-vm-modules", "--no-warnings"];

/** Characters of one message; detections have far fewer. */
const MAX_LINE = 16 * 2 ** 20;
/** Characters at the end of the output that may say why the process died. */
const LAST_OUTPUT = 4_000;
/** Seconds after the worker's own timeout until it is killed. */
const GRACE = 1;
/** Milliseconds. */
const MEMORY_CHECK_INTERVAL = 50;
/** MiB of a process that has not done anything yet. */
const OWN_MEMORY = 96;
/** Bytes that may wait until the worker reads them before more is fetched for it. */
const MAX_UNREAD = 4 * 2 ** 20;
/** Milliseconds to wait for the last messages of a dead process: another one may hold its pipes open. */
const CLOSE_TIMEOUT = 200;

export interface WorkerSettings {
  /** MiB. */
  readonly memory: number;
  /** Seconds of CPU time, after which the system ends the process. */
  readonly cpuTime: number;
  readonly log: (message: string) => void;
}

/** The process has ended. The cause is for the module's author. */
export interface Died {
  readonly type: "died";
  readonly cause: string;
}

/** `length` is in characters. */
export type OnMessage = (message: WorkerMessage, length: number) => void;

/** One process that runs alarm modules, one after the other. */
export class Worker {
  readonly memory: number;
  /** The files of the modules that have run in the process. */
  readonly files = new Set<string>();
  /** Whether another module, or another alarm, ran in the process before its last task. */
  isShared = false;
  readonly ended: Promise<Died>;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #log: (message: string) => void;
  #print: (line: string) => void;
  #lastOutput = "";
  #job = "";
  #onMessage: OnMessage | undefined;
  #cause: string | undefined;
  #hasExited = false;
  #hasDetected = false;

  constructor({ memory, cpuTime, log }: WorkerSettings) {
    this.memory = memory;
    this.#log = (line) => log(`printed by a module: ${line}`);
    this.#print = boundedLog(this.#log);
    const flags = [`--max-old-space-size=${Math.ceil(memory)}`, ...FLAGS];
    const command = [String(Math.ceil(cpuTime)), process.execPath, ...flags, MAIN];
    this.#child = spawn("/bin/sh", ["-c", SHELL, "swf-alarms", ...command], {
      stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", "pipe"],
      // A process group of its own: the processes that a module starts are killed with it.
      detached: true,
      env: moduleEnvironment(process.env),
    });
    const [, , , output, input] = this.#child.stdio;
    if (!(output instanceof Readable) || !(input instanceof Writable))
      throw new Error("the pipes of the worker are missing");
    this.#input = input;
    input.setMaxListeners(0);
    // A pipe breaks when its process dies, which `exit` reports.
    for (const stream of this.#child.stdio) stream?.on("error", () => {});
    output.setEncoding("utf8").on(
      "data",
      lineSplitter(MAX_LINE, (line) => this.#receive(line)),
    );
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => this.#readOutput(text));
    this.ended = this.#waitForEnd();
  }

  /** Whether the process can take a task. */
  get isAlive(): boolean {
    return this.#cause === undefined;
  }

  /**
   * Runs a task until it ends or the process dies, and kills the process when the time of the task, for the
   * cause `late`, or of the tick is up. Never rejects.
   */
  async run(
    task: Task,
    late: string,
    tick: AbortSignal,
    onMessage: OnMessage,
  ): Promise<TaskEnd | Died> {
    const stop = (): void => this.kill(errorText(tick.reason));
    const timer = setTimeout(() => this.kill(late), (task.timeout + GRACE) * 1000);
    const memoryCheck = setInterval(() => this.#checkMemory(), MEMORY_CHECK_INTERVAL);
    tick.addEventListener("abort", stop, { once: true });
    this.files.add(task.file.path);
    this.isShared = this.#hasDetected || this.files.size > 1;
    this.#hasDetected ||= task.type === "detect";
    this.#job = randomUUID();
    this.#print = boundedLog(this.#log);
    try {
      const ended = new Promise<TaskEnd>((resolve) => {
        this.#onMessage = (message, length) => {
          if (message.type !== "end") return onMessage(message, length);
          this.#onMessage = undefined;
          resolve(message);
        };
      });
      this.send({ ...task, job: this.#job });
      return await Promise.race([ended, this.ended]);
    } finally {
      this.#onMessage = undefined;
      clearTimeout(timer);
      clearInterval(memoryCheck);
      tick.removeEventListener("abort", stop);
    }
  }

  respond(id: number, { body, ...response }: SourceResponse): void {
    this.send({ type: "response", id, ...response }, body);
  }

  /** Answers a question about the alarm. */
  answer(id: number, value: unknown): void {
    this.respond(id, { status: 200, headers: {}, body: Buffer.from(JSON.stringify(value)) });
  }

  send(message: ToWorker, body: Buffer = Buffer.alloc(0)): void {
    if (!this.#input.writable) return;
    this.#input.cork();
    this.#input.write(frameHead(JSON.stringify(message), body));
    if (body.length > 0) this.#input.write(body);
    this.#input.uncork();
  }

  /** Resolves when the process has read most of what it was sent; never after its end. */
  readonly ready = async (): Promise<void> => {
    if (this.#input.writableLength > MAX_UNREAD)
      await new Promise((resolve) => this.#input.once("drain", resolve));
  };

  /** Ends the process and those that it has started. */
  kill(cause: string): void {
    this.#cause ??= cause;
    this.#killGroup();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    // The pid of a process that has exited may belong to another one.
    if (pid === undefined || this.#hasExited) return;
    // It fails when they have all exited.
    attempt(() => process.kill(-pid, "SIGKILL"), false);
  }

  #waitForEnd(): Promise<Died> {
    return new Promise((resolve) => {
      const end = (cause: string): void => {
        this.#cause ??= cause;
        for (const stream of this.#child.stdio) stream?.destroy();
        resolve({ type: "died", cause: this.#cause });
      };
      this.#child.once("error", ({ message }) => end(`cannot start the worker: ${message}`));
      this.#child.once("exit", (code, signal) => {
        this.#killGroup();
        this.#hasExited = true;
        const close = (): void => end(this.#causeOf(code, signal));
        // Its messages may be read only after its end: the engine may have been busy for longer than the timeout.
        setTimeout(() => setImmediate(close), CLOSE_TIMEOUT).unref();
        this.#child.once("close", close);
      });
    });
  }

  #receive(line: string): void {
    const message = parseWorkerLine(line, this.#job);
    if (message === undefined) this.kill("the module wrote to the engine's pipe");
    else if (this.#onMessage === undefined) this.kill("the module kept running after detect ended");
    else if (message.type === "exit")
      this.kill(`the module exited the process with code ${message.code}`);
    // After a kill only the detections that had been yielded count.
    else if (this.isAlive || message.type === "detections") this.#onMessage(message, line.length);
  }

  #readOutput(text: string): void {
    this.#lastOutput = (this.#lastOutput + text).slice(-LAST_OUTPUT);
    for (const line of text.trimEnd().split("\n")) this.#print(line);
  }

  #causeOf(code: number | null, signal: NodeJS.Signals | null): string {
    if (/out of memory/i.test(this.#lastOutput)) return this.#outOfMemory();
    if (signal === "SIGXCPU") return "out of time: CPU time limit reached";
    if (signal !== null) return `the worker was killed by ${signal}`;
    const output = this.#lastOutput.trim().split("\n").slice(0, 3).join(" ");
    return `the worker exited with code ${code}${output === "" ? "" : `: ${output}`}`;
  }

  #outOfMemory(): string {
    return `out of memory: the module used more than ${this.memory} MiB; raise alarm_memory in the alarm's row or in [engine]`;
  }

  /** The limit of the heap does not cover buffers. A system without /proc does not tell. */
  #checkMemory(): void {
    const path = `/proc/${this.#child.pid}/status`;
    const status = attempt(() => readFileSync(path, "utf8"), "");
    const used = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
    if (used > this.memory + OWN_MEMORY) this.kill(this.#outOfMemory());
  }
}
