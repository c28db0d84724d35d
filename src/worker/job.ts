import { setMaxListeners } from "node:events";
import { type AlarmModule, type LoadedModule, parseModule } from "../alarm/alarm_module.ts";
import type { ModuleFile } from "../alarm/discover.ts";
import type { States } from "../author/expectations/expectation.ts";
import type { DetectLimits, Outcome, SafeDetection } from "../core/model.ts";
import type { SharedSource } from "../source/share.ts";
import { errorText } from "../text/describe.ts";
import type { JsonObject } from "../text/json.ts";
import { boundedLog } from "./bounded_log.ts";
import { judgeRun, type RunVerdict } from "./judge_run.ts";
import { type OutcomeFacts, OutcomeSoFar } from "./outcome.ts";
import type { PostAnswers } from "./post_answers.ts";
import type { DetectTask, Task } from "./protocol.ts";
import { RequestHandler } from "./requests.ts";
import { type StoredFacts, storedAnswers } from "./stored_answers.ts";
import type { Worker } from "./worker.ts";

/** Seconds for the import of one module. */
const IMPORT_TIMEOUT = 10;

export interface JobResult<T> extends RunVerdict {
  readonly value: T;
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
    return { value, clean: false, matters: true };
  }
  const { exports, error, clean } = end;
  const value =
    error === null ? parseModule(file, exports) : { ok: false as const, error: error.text };
  return { value, clean, matters: !value.ok };
}

function loadError(what: string, cause: unknown): LoadedModule {
  return { ok: false, error: `${what}: ${errorText(cause)}` };
}

export interface DetectFacts
  extends Pick<DetectTask, "file" | "params" | "now">,
    Pick<OutcomeFacts, "redact" | "stages">,
    StoredFacts {
  readonly sources: ReadonlyMap<string, SharedSource>;
  readonly limits: DetectLimits;
  /** The parameters of the alarm with this module. Throws if the alarm cannot run with it. */
  readonly paramsOf: (module: AlarmModule) => JsonObject;
  /** Makes `needsDetails` for one run of `detect`. */
  readonly decideDetails: () => OutcomeFacts["needsDetails"];
  readonly log: (message: string) => void;
  /** Called with what became of the expectations of an entity; the last call counts. Undefined where nobody asks. */
  readonly onStates?: ((entity: string, states: States) => void) | undefined;
  /** Those of the alarm in this tick: if `detect` runs again, it gets the same ones. */
  readonly posts: PostAnswers;
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
  const { file, params, sources, now, redact, stages, limits, text } = facts;
  const { timeout } = limits;
  const started = performance.now();
  const soFar = new OutcomeSoFar({ needsDetails: facts.decideDetails(), stages, redact });
  if (signal.aborted) {
    soFar.fail({ text: `${errorText(signal.reason)}; detect was not started` });
    return unused(soFar.outcome(0));
  }
  const ended = new AbortController();
  // Each pending request listens.
  setMaxListeners(0, ended.signal);
  const log = boundedLog(facts.log);
  const late = `out of time: detect did not end within ${timeout} s; it blocked the event loop; worker killed; look for a loop that does not end`;
  let kept = 0;
  const run = { worker, sources, soFar, posts: facts.posts, signal: ended.signal, tick: signal };
  const requests = new RequestHandler(run);
  const add = (detections: readonly SafeDetection[], length: number): void => {
    for (const detection of detections) {
      const isOneTooMany = soFar.yielded >= limits.detections;
      const characters = isOneTooMany ? 0 : soFar.add(detection, length / detections.length);
      // What exceeds the limit is not counted: shorter ones of other alarms still have room.
      if (isOneTooMany || characters > text.left) {
        worker.kill(isOneTooMany ? tooMany(limits.detections, "detections") : TOO_LONG);
        return;
      }
      kept += characters;
      text.left -= characters;
    }
  };
  const answer = storedAnswers(facts, worker, soFar, ended.signal);
  const { onStates } = facts;
  const task: Task = {
    type: "detect",
    file,
    params,
    sources: [...sources].map(([name, { kind }]) => ({ name, kind })),
    now,
    timeout,
    states: onStates !== undefined,
  };
  const end = await worker.run(task, late, signal, (message, length) => {
    switch (message.type) {
      case "detections":
        return add(message.detections, length);
      case "clear":
        if (soFar.cleared >= limits.detections)
          return worker.kill(tooMany(limits.detections, "clears"));
        return soFar.addClear(message.dedupeKey, message.reason);
      case "unhandled":
        return soFar.incomplete(message.reason);
      case "incomplete":
        return soFar.incomplete(message.reason, message.prefix);
      case "note":
        return soFar.note(message.text);
      case "states":
        return onStates?.(message.entity, message.states);
      case "remember":
        return soFar.remember(message.text);
      case "position":
        if (sources.get(message.source)?.kind === "spool")
          soFar.position(message.source, message.text);
        return;
      case "log":
        return log(message.text);
      case "request":
        void requests.handle(message);
        return;
      case "invalid":
        return requests.reportInvalid(message);
      case "firing":
      case "firing events":
      case "previous":
      case "positions":
        return void answer(message.id, message.type);
    }
  });
  const { isPending, heldUp } = requests;
  if (end.type === "end" && end.error === null) requests.reportUnanswered();
  ended.abort(new Error("detect has ended"));
  await requests.checked();
  const error =
    end.type === "died" ? { text: end.cause, isWaiting: signal.aborted && isPending } : end.error;
  const why = error?.isWaiting ? heldUp : [];
  if (error !== null) soFar.fail({ ...error, text: [error.text, ...why].join("; ") });
  const seconds = (performance.now() - started) / 1000;
  const value = { ...soFar.outcome(seconds), requests: requests.use };
  const verdict = judgeRun({
    outcome: value,
    firing: facts.firing(),
    isOfSource: requests.hasFailed || (error?.isWaiting === true && isPending),
    hasOwnReasons: soFar.hasOwnReasons,
    isAsBefore: end.type === "end" && end.clean,
  });
  // It will run again, and what it yields then counts.
  if (verdict.matters && worker.isShared) text.left += kept;
  return { value, ...verdict };
}

const TOO_LONG = `more than ${MAX_TEXT} MiB of new detections in this tick; shorten their body and data`;

function tooMany(max: number, what: "detections" | "clears"): string {
  return `detect yielded more than ${max} ${what}; if that is expected, raise max_detections in the alarm's row or in [engine]`;
}

function unused<T>(value: T): JobResult<T> {
  return { value, clean: true, matters: false };
}
