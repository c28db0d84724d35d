import { setMaxListeners } from "node:events";
import { type LoadedModule, parseModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { DetectLimits, Outcome, SafeDetection } from "../core/model.ts";
import type { SharedSource } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { boundedLog } from "./bounded_log.ts";
import { type OutcomeFacts, OutcomeSoFar } from "./outcome.ts";
import type { Task } from "./protocol.ts";
import { RequestHandler } from "./requests.ts";
import type { Worker } from "./worker.ts";

/** Seconds for the import of one module. */
const IMPORT_TIMEOUT = 10;
/** Globals that a message names. */
const SHOWN_GLOBALS = 5;

export interface JobResult<T> {
  readonly value: T;
  /** Whether the process may take another job. */
  readonly clean: boolean;
  /** Whether a module that ran earlier in the process may be the cause of an error. */
  readonly retry: boolean;
}

/** Imports a module and parses its exports. Never rejects; `signal` ends it early. */
export async function loadIn(
  worker: Worker,
  file: ModuleFile,
  timeout: number,
  signal: AbortSignal,
): Promise<JobResult<LoadedModule>> {
  if (signal.aborted) return unused(loadError(`did not load ${file.path}`, signal.reason));
  const seconds = Math.min(timeout, IMPORT_TIMEOUT);
  const late = `import did not finish within ${seconds} s`;
  const task: Task = { type: "load", file, timeout: seconds };
  const end = await worker.run(task, late, signal, () => {});
  if (end.type === "died") {
    const value = loadError(`cannot load ${file.path}`, end.cause);
    return { value, clean: false, retry: true };
  }
  const { exports, error, clean } = end;
  const value =
    error === null ? parseModule(file, exports) : { ok: false as const, error: error.text };
  return { value, clean, retry: false };
}

function loadError(what: string, cause: unknown): LoadedModule {
  return { ok: false, error: `${what}: ${errorText(cause)}` };
}

export interface DetectFacts extends Pick<OutcomeFacts, "redact"> {
  readonly file: ModuleFile;
  readonly params: JsonObject;
  readonly sources: ReadonlyMap<string, SharedSource>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly limits: DetectLimits;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => readonly string[];
  /** Makes `needsDetails` for one run of `detect`. */
  readonly decideDetails: () => OutcomeFacts["needsDetails"];
  readonly log: (message: string) => void;
  /** Characters that the new detections of the tick may still have, all alarms together. */
  readonly text: { left: number };
}

/** MiB of text that the new detections of a tick may have. */
export const MAX_TEXT = 256;

/** Runs a module's `detect`. Never rejects: an error is a failed outcome. */
export async function detectIn(
  worker: Worker,
  facts: DetectFacts,
  signal: AbortSignal,
): Promise<JobResult<Outcome>> {
  const { file, params, sources, now, redact, limits, text } = facts;
  const { timeout } = limits;
  const started = performance.now();
  const soFar = new OutcomeSoFar({ needsDetails: facts.decideDetails(), redact });
  if (signal.aborted) {
    soFar.fail({ text: `${errorText(signal.reason)}; detect was not started` });
    return unused(soFar.outcome(0));
  }
  const ended = new AbortController();
  // Each pending request listens.
  setMaxListeners(0, ended.signal);
  const log = boundedLog(facts.log);
  const late = `out of time: detect did not end within ${timeout} s; it blocked the event loop; worker killed`;
  /** The limit that the module exceeded; no other module can be the cause. */
  let exceeded: string | undefined;
  const stop = (cause: string): void => {
    exceeded = cause;
    worker.kill(cause);
  };
  const requests = new RequestHandler({
    worker,
    sources,
    soFar,
    signal: ended.signal,
    tick: signal,
    stop,
  });
  const add = (detections: readonly SafeDetection[], length: number): void => {
    for (const detection of detections) {
      if (soFar.yielded >= limits.detections) {
        stop(tooMany(limits.detections));
        return;
      }
      text.left -= soFar.add(detection, length / detections.length);
    }
    if (text.left < 0) stop(TOO_LONG);
  };
  const task: Task = { type: "detect", file, params, sources: [...sources.keys()], now, timeout };
  let isSuspect = false;
  const end = await worker.run(task, late, signal, (message, length) => {
    switch (message.type) {
      case "detections":
        return add(message.detections, length);
      case "unhandled":
        isSuspect = true;
        return soFar.incomplete(message.reason);
      case "incomplete":
        return soFar.incomplete(message.reason);
      case "log":
        return log(message.text);
      case "request":
        void requests.handle(message);
        return;
      case "invalid":
        return requests.reportInvalid(message);
      case "firing":
        return worker.respond(message.id, Buffer.from(JSON.stringify(facts.firing())));
    }
  });
  ended.abort(new Error("detect has ended"));
  if (end.type === "died") {
    isSuspect = end.cause !== exceeded && end.cause !== late;
    soFar.fail({ text: end.cause, isWaiting: signal.aborted && requests.pending > 0 });
  } else {
    if (end.error !== null) soFar.fail(end.error);
    if (end.changed.length > 0) {
      isSuspect = true;
      soFar.incomplete(changedGlobals(end.changed));
    }
  }
  return {
    value: soFar.outcome((performance.now() - started) / 1000),
    clean: end.type === "end" && end.clean && !isSuspect,
    retry: isSuspect,
  };
}

const TOO_LONG = `more than ${MAX_TEXT} MiB of new detections in this tick; shorten their body and data`;

function tooMany(max: number): string {
  return `detect yielded more than ${max} detections; if that is expected, raise max_detections in the alarm's row or in [engine]`;
}

function changedGlobals(names: readonly string[]): string {
  const more = names.length > SHOWN_GLOBALS ? ", …" : "";
  return `the module changed globals that other code relies on: ${names.slice(0, SHOWN_GLOBALS).join(", ")}${more}`;
}

function unused<T>(value: T): JobResult<T> {
  return { value, clean: true, retry: false };
}
