import { setMaxListeners } from "node:events";
import { array, literal, object, optional, safeParse, string, unknown, variant } from "valibot";
import type { LoadedModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import { parseParamSpecs } from "../core/params.ts";
import type { SharedSource } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { type OutcomeFacts, OutcomeSoFar } from "./outcome.ts";
import type { Task } from "./protocol.ts";
import { handleRequests } from "./requests.ts";
import type { Listener, Worker } from "./worker.ts";

/** Seconds that a process has to end by itself what its own clock should have ended. */
const GRACE = 1;
/** Seconds for the import of one module; its process keeps the same time. */
const IMPORT_TIMEOUT = 10;
/** Characters that the new detections of one run may have, for each one that is allowed: far more than any needs. */
const TEXT_EACH = 8 * 2 ** 10;
/** Characters that one run may write into the log. */
const MAX_LOGGED = 64 * 2 ** 10;

const SHOWN_GLOBALS = 5;

/** What a job leaves behind. */
export interface JobResult<T> {
  readonly value: T;
  /** Whether the process may take another job. */
  readonly clean: boolean;
  /** Whether a module that had run in the process before could be the cause of what went wrong. */
  readonly mayBeOthers: boolean;
}

const Words = variant("ok", [
  object({ ok: literal(false), error: string() }),
  object({
    ok: literal(true),
    module: object({
      title: optional(string()),
      description: optional(string()),
      sources: optional(array(string())),
      params: unknown(),
    }),
  }),
]);

/** Asks a module for what it says of itself. Never rejects; `signal` ends it early. */
export async function loadIn(
  worker: Worker,
  file: ModuleFile,
  timeout: number,
  signal: AbortSignal,
): Promise<JobResult<LoadedModule>> {
  const seconds = Math.min(timeout, IMPORT_TIMEOUT);
  const late = `its import did not end within ${seconds} s`;
  const clock = { seconds: seconds + GRACE, late, signal };
  let stray = false;
  return await withWorker(worker, { do: "load", file, timeout: seconds }, clock, (end) => ({
    message: (message) => {
      if (message.said === "stray") stray = true;
      if (message.said === "loaded")
        end({
          value: parseWords(message.loaded, file),
          clean: message.clean && !stray,
          mayBeOthers: false,
        });
      if (message.said === "exit")
        worker.kill(`its import ended the process with exit code ${message.code}`);
    },
    died: (cause) => {
      const error = `cannot load ${file.path}: ${cause}`;
      end({ value: { ok: false, error }, clean: false, mayBeOthers: true });
    },
  }));
}

function parseWords(said: unknown, file: ModuleFile): LoadedModule {
  const result = safeParse(Words, said);
  if (!result.success) return { ok: false, error: `${file.path}: its exports cannot be read` };
  const words = result.output;
  if (!words.ok) return words;
  const { title, description, sources, params } = words.module;
  const { specs, faults } = parseParamSpecs(params);
  if (faults.length > 0) return { ok: false, error: `${file.path}: ${faults.join("; ")}` };
  return { ok: true, module: { ...file, title, description, sources, params: specs } };
}

export interface DetectFacts extends Omit<OutcomeFacts, "needsDetails"> {
  readonly file: ModuleFile;
  readonly params: JsonObject;
  readonly sources: ReadonlyMap<string, SharedSource>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly limits: DetectLimits;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => readonly string[];
  /** Gives for each run of `detect` anew what says whether more of a detection than its key will be needed. */
  readonly decideDetails: () => OutcomeFacts["needsDetails"];
  readonly log: (message: string) => void;
}

/** Runs a module's `detect`. Never rejects: whatever the module does is an outcome. */
export async function detectIn(
  worker: Worker,
  facts: DetectFacts,
  signal: AbortSignal,
): Promise<JobResult<Outcome>> {
  const { file, params, sources, now, limits } = facts;
  const { timeout } = limits;
  const started = performance.now();
  const soFar = new OutcomeSoFar({ ...facts, needsDetails: facts.decideDetails() });
  const closed = new AbortController();
  // Every question that is under way listens.
  setMaxListeners(0, closed.signal);
  const log = boundedLog(facts.log);
  let doubtful = false;
  let excess = false;
  const stop = (cause: string): void => {
    excess = true;
    worker.kill(cause);
  };
  const take = (detections: readonly unknown[]): void => {
    for (const detection of detections) {
      const cause = tooMany(soFar, limits.detections);
      if (cause !== undefined) {
        stop(cause);
        return;
      }
      soFar.add(detection);
    }
  };
  const questions = handleRequests({ worker: worker, sources, soFar, signal: closed.signal, stop });
  const tellFiring = (id: number): void =>
    worker.respond(id, Buffer.from(JSON.stringify(facts.firing())));
  const task: Task = { do: "detect", file, params, sources: [...sources.keys()], now, timeout };
  const late = `out of time: detect did not end within ${timeout} s, and it computes without a pause, so its process was ended`;
  const clock = { seconds: timeout + GRACE, late, signal };
  const { clean } = await withWorker<undefined>(worker, task, clock, (end) => ({
    message: (message) => {
      switch (message.said) {
        case "detections":
          take(message.detections);
          return;
        case "incomplete":
          soFar.incomplete(message.reason);
          return;
        case "stray":
          doubtful = true;
          soFar.incomplete(message.reason);
          return;
        case "log":
          log(message.text);
          return;
        case "request":
          questions.request(message);
          return;
        case "needs":
          questions.needs(message.id);
          return;
        case "firing":
          tellFiring(message.id);
          return;
        case "exit":
          worker.kill(`detect ended its process with exit code ${message.code}`);
          return;
        case "end":
          if (message.error !== null) soFar.fail(message.error);
          if (message.changed.length > 0) {
            doubtful = true;
            soFar.incomplete(changedGlobals(message.changed));
          }
          end({ value: undefined, clean: message.clean && !doubtful, mayBeOthers: doubtful });
      }
    },
    died: (cause) => {
      doubtful = !excess && cause !== late;
      soFar.fail({ text: cause, isFetch: false });
      end({ value: undefined, clean: false, mayBeOthers: doubtful });
    },
  }));
  closed.abort(new Error("detect has ended"));
  return {
    value: soFar.outcome((performance.now() - started) / 1000),
    clean,
    mayBeOthers: doubtful,
  };
}

function tooMany(soFar: OutcomeSoFar, most: number): string | undefined {
  const remedy = "raise max_detections in the alarm's row or in [engine]";
  if (soFar.yielded >= most)
    return `it yielded more than ${most} detections; if so many are real, ${remedy}`;
  if (soFar.length > most * TEXT_EACH)
    return `it yielded more than ${Math.round((most * TEXT_EACH) / 2 ** 20)} MiB of new detections; shorten their body and data, or ${remedy}`;
  return undefined;
}

/** A log that ends where it would fill the disk. */
function boundedLog(log: (message: string) => void): (message: string) => void {
  let logged = 0;
  return (message) => {
    if (logged > MAX_LOGGED) return;
    logged += message.length + 1;
    log(logged > MAX_LOGGED ? "… and more, not shown" : message);
  };
}

function changedGlobals(names: readonly string[]): string {
  const more = names.length > SHOWN_GLOBALS ? ", …" : "";
  return `the module changed globals that other code relies on: ${names.slice(0, SHOWN_GLOBALS).join(", ")}${more}`;
}

interface Clock {
  readonly seconds: number;
  /** What is said when they are over. */
  readonly late: string;
  /** Aborted when the tick's time is up. */
  readonly signal: AbortSignal;
}

/** Gives the process a task until it `end`s it, its time is up, or the tick's. */
async function withWorker<T>(
  worker: Worker,
  task: Task,
  { seconds, late, signal }: Clock,
  listen: (end: (result: JobResult<T>) => void) => Listener,
): Promise<JobResult<T>> {
  const stop = (): void => worker.kill(errorText(signal.reason));
  const timer = setTimeout(() => worker.kill(late), seconds * 1000);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve) => worker.start(task, listen(resolve)));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    worker.finish();
  }
}
