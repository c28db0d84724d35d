import * as v from "valibot";
import { errorText } from "../core/describe.ts";
import type { JsonObject } from "../core/json.ts";
import type { DetectLimits, Outcome } from "../core/model.ts";
import { parseParamSpecs } from "../core/params.ts";
import type { Asker } from "../source/client.ts";
import { inTime } from "../source/in_time.ts";
import type { LoadedModule } from "./alarm_module.ts";
import type { ModuleFile } from "./discover.ts";
import { OutcomeSoFar } from "./outcome.ts";
import type { Listener, Runner } from "./runner.ts";
import type { Question } from "./wire.ts";

/** Seconds that a process has to end by itself what its own clock should have ended. */
const GRACE = 1;
/** Seconds for the import of one module; its process keeps the same time. */
const IMPORT_TIMEOUT = 10;
/** Questions of one run: at 200 items a page, four million items. */
const MAX_QUESTIONS = 20_000;
/** Characters of answers that one run may read. */
const MAX_ANSWERS = 512 * 2 ** 20;

const SHOWN_GLOBALS = 5;

/** What a job leaves behind. */
export interface JobResult<T> {
  readonly value: T;
  /** Whether the process may take another job. */
  readonly clean: boolean;
}

const Words = v.variant("ok", [
  v.object({ ok: v.literal(false), fault: v.string() }),
  v.object({
    ok: v.literal(true),
    module: v.object({
      title: v.optional(v.string()),
      description: v.optional(v.string()),
      sources: v.optional(v.array(v.string())),
      params: v.unknown(),
    }),
  }),
]);

/** Asks a module for what it says of itself. Never rejects; `signal` ends it early. */
export async function loadIn(
  runner: Runner,
  file: ModuleFile,
  signal: AbortSignal,
): Promise<JobResult<LoadedModule>> {
  const late = `its import did not end within ${IMPORT_TIMEOUT} s`;
  return await withRunner(runner, IMPORT_TIMEOUT + GRACE, late, signal, (end) => {
    runner.send({ do: "load", file });
    return {
      message: (message) => {
        if (message.said === "loaded")
          end({ value: parseWords(message.loaded, file), clean: true });
        if (message.said === "exit")
          runner.kill(`its import ended the process with process.exit(${message.code})`);
      },
      died: (cause) => {
        const fault = `cannot load ${file.path}: ${cause}`;
        end({ value: { ok: false, fault }, clean: false });
      },
    };
  });
}

function parseWords(said: unknown, file: ModuleFile): LoadedModule {
  const result = v.safeParse(Words, said);
  if (!result.success) return { ok: false, fault: `${file.path}: its exports cannot be read` };
  const words = result.output;
  if (!words.ok) return words;
  const { title, description, sources, params } = words.module;
  const { specs, faults } = parseParamSpecs(params);
  if (faults.length > 0) return { ok: false, fault: `${file.path}: ${faults.join("; ")}` };
  return { ok: true, module: { ...file, title, description, sources, params: specs } };
}

export interface DetectFacts {
  readonly file: ModuleFile;
  readonly params: JsonObject;
  readonly sources: ReadonlyMap<string, Asker>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly limits: DetectLimits;
  readonly log: (message: string) => void;
}

/** Runs a module's `detect`. Never rejects: whatever the module does is an outcome. */
export async function detectIn(
  runner: Runner,
  facts: DetectFacts,
  signal: AbortSignal,
): Promise<JobResult<Outcome>> {
  const started = performance.now();
  const soFar = new OutcomeSoFar();
  const { timeout, detections: most } = facts.limits;
  const late = `out of time: detect did not end within ${timeout} s, and it computes without a pause, so its process was ended`;
  const closed = new AbortController();
  const clean = await withRunner<boolean>(runner, timeout + GRACE, late, signal, (end) => {
    const answer = answerer(runner, facts.sources, soFar, closed.signal);
    runner.send({
      do: "detect",
      file: facts.file,
      params: facts.params,
      sources: [...facts.sources.keys()],
      now: facts.now,
      timeout,
    });
    return {
      message: (message) => {
        if (message.said === "detection" && soFar.yielded < most) soFar.add(message.detection);
        else if (message.said === "detection")
          runner.kill(
            `it yielded more than ${most} detections; if so many are real, raise max_detections in the alarm's row or in [engine]`,
          );
        if (message.said === "incomplete") soFar.incomplete(message.reason);
        if (message.said === "log") facts.log(message.text);
        if (message.said === "ask") answer(message);
        if (message.said === "exit")
          runner.kill(`detect ended its process with process.exit(${message.code})`);
        if (message.said === "end") {
          if (message.error !== null) soFar.fail(message.error);
          if (message.changed.length > 0) soFar.incomplete(changedGlobals(message.changed));
          end({ value: message.clean, clean: message.clean });
        }
      },
      died: (cause) => {
        soFar.fail({ text: cause, isFetch: false });
        end({ value: false, clean: false });
      },
    };
  });
  closed.abort(new Error("detect has ended"));
  return { value: soFar.outcome((performance.now() - started) / 1000), clean: clean.clean };
}

function changedGlobals(names: readonly string[]): string {
  const more = names.length > SHOWN_GLOBALS ? ", …" : "";
  return `the module changed globals that other code relies on: ${names.slice(0, SHOWN_GLOBALS).join(", ")}${more}`;
}

/** Sends the module's questions to the sources. What fails is on the record before the module hears of it. */
function answerer(
  runner: Runner,
  sources: ReadonlyMap<string, Asker>,
  soFar: OutcomeSoFar,
  signal: AbortSignal,
): (question: Question) => void {
  let asked = 0;
  let read = 0;
  return ({ id, source, path, query, absentIsAnswer }) => {
    asked += 1;
    soFar.asks();
    const asker = sources.get(source);
    const pending = askedTooMuch(asked, read) ?? asker?.ask(path, query, absentIsAnswer);
    inTime(pending ?? Promise.reject(new Error(`no source ${source}`)), signal).then(
      (text) => {
        read += text?.length ?? 0;
        soFar.answered();
        runner.send({ do: "answer", id, text: text ?? null });
      },
      (error: unknown) => {
        if (signal.aborted) return;
        const reason = errorText(error);
        soFar.answered();
        soFar.sourceFailed(reason);
        runner.send({ do: "fail", id, reason });
      },
    );
  };
}

function askedTooMuch(asked: number, read: number): Promise<never> | undefined {
  if (asked > MAX_QUESTIONS)
    return Promise.reject(new Error(`detect asked more than ${MAX_QUESTIONS} questions`));
  if (read > MAX_ANSWERS)
    return Promise.reject(
      new Error(`detect read more than ${MAX_ANSWERS / 2 ** 20} MiB of answers`),
    );
  return undefined;
}

/** Gives the process a job until it `end`s it, its time is up, or the tick's. */
async function withRunner<T>(
  runner: Runner,
  seconds: number,
  late: string,
  signal: AbortSignal,
  begin: (end: (result: JobResult<T>) => void) => Listener,
): Promise<JobResult<T>> {
  const stop = (): void => runner.kill(errorText(signal.reason));
  const timer = setTimeout(() => runner.kill(late), seconds * 1000);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await new Promise((resolve) => {
      const listener = begin(resolve);
      runner.start(listener);
      if (!runner.isAlive) listener.died("its process had ended before");
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
    runner.finish();
  }
}
