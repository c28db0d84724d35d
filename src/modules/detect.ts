import { cut, errorText } from "../core/describe.ts";
import { parseDetection } from "../core/detection.ts";
import type { JsonObject } from "../core/json.ts";
import type { Outcome, SafeDetection } from "../core/model.ts";
import { makeClient } from "../source/alarm_client.ts";
import type { Asker } from "../source/client.ts";
import { FetchError } from "../source/fetch_error.ts";
import { inTime } from "../source/in_time.ts";
import type { AlarmModule } from "./load.ts";

export interface DetectFacts {
  readonly module: AlarmModule;
  readonly params: JsonObject;
  readonly sources: ReadonlyMap<string, Asker>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  /** Seconds that `detect` may take. */
  readonly timeout: number;
  readonly log: (message: string) => void;
}

/** How many reasons an outcome spells out; a broken source can give one per entity. */
const MAX_REASONS = 5;
/** Characters of one reason. */
const MAX_REASON = 1_000;

/** Runs `detect` once. Never throws: whatever the module does is an outcome. */
export async function runDetect(facts: DetectFacts): Promise<Outcome> {
  const started = performance.now();
  const run = new Run();
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new OutOfTime(facts.timeout)),
    facts.timeout * 1000,
  );
  const client = makeClient({
    sources: facts.sources,
    now: facts.now,
    signal: deadline.signal,
    log: facts.log,
    onIncomplete: (reason) => run.incomplete(reason),
  });
  try {
    await drain(
      () => facts.module.detect(client, facts.params),
      run,
      deadline.signal,
      () => {
        // A generator that never waits keeps the timer from firing, so the clock is looked at as well.
        if (performance.now() - started > facts.timeout * 1000) throw new OutOfTime(facts.timeout);
      },
    );
  } catch (error) {
    run.end(error);
  } finally {
    clearTimeout(timer);
    run.closed = true;
    // Whatever the module left running must not go on asking.
    deadline.abort(new Error("detect has ended"));
  }
  return run.outcome((performance.now() - started) / 1000);
}

/** What has been seen so far; what was yielded before a failure stays. */
class Run {
  readonly #detections = new Map<string, SafeDetection>();
  readonly #reasons = new Set<string>();
  #failed = false;
  closed = false;

  add(value: unknown): void {
    const parsed = parseDetection(value);
    if (!parsed.ok) this.#reasons.add(parsed.fault);
    // The same entity twice in one tick is one event; the first yield is kept.
    else if (!this.#detections.has(parsed.detection.dedupeKey)) {
      this.#detections.set(parsed.detection.dedupeKey, parsed.detection);
    }
  }

  incomplete(reason: string): void {
    if (!this.closed) this.#reasons.add(cut(reason, MAX_REASON));
  }

  /** `detect` did not end by itself. A fetch failure that it let through is already a reason. */
  end(error: unknown): void {
    try {
      if (error instanceof FetchError && this.#reasons.has(cut(error.message, MAX_REASON))) return;
      this.#reasons.add(
        error instanceof OutOfTime || error instanceof Misuse
          ? error.message
          : `detect threw ${describeThrown(error)}`,
      );
    } catch {
      this.#reasons.add("detect threw something that throws at whoever looks at it");
    }
    this.#failed = true;
  }

  outcome(seconds: number): Outcome {
    const status = this.#failed ? "failed" : this.#reasons.size > 0 ? "partial" : "complete";
    const reasons = [...this.#reasons];
    const shown = reasons.slice(0, MAX_REASONS);
    if (reasons.length > MAX_REASONS)
      shown.push(`and ${reasons.length - MAX_REASONS} more reasons`);
    return { status, reasons: shown, detections: [...this.#detections.values()], seconds };
  }
}

class OutOfTime extends Error {
  constructor(seconds: number) {
    super(`out of time: detect did not end within ${seconds} s`);
  }
}

/** The module breaks the contract; the message is for its author and needs no place. */
class Misuse extends Error {}

async function drain(
  start: () => unknown,
  run: Run,
  signal: AbortSignal,
  checkClock: () => void,
): Promise<void> {
  const returned = await inTime(Promise.resolve(start()), signal);
  const iterator = iterate(returned);
  try {
    for (;;) {
      const step = await inTime(Promise.resolve(iterator.next()), signal);
      if (step.done === true) return;
      run.add(step.value);
      checkClock();
    }
  } catch (error) {
    leave(iterator);
    throw error;
  }
}

/** Lets the module's `finally` run. It is not waited for, and what it throws hides no other reason. */
function leave(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  try {
    Promise.resolve(iterator.return?.()).catch(() => {});
  } catch {}
}

/** What `detect` returned, as an iterator: a generator, sync or async, or any iterable. */
function iterate(returned: unknown): AsyncIterator<unknown> | Iterator<unknown> {
  if (typeof returned === "object" && returned !== null) {
    if (isAsyncIterable(returned)) return returned[Symbol.asyncIterator]();
    if (isIterable(returned)) return returned[Symbol.iterator]();
  }
  throw new Misuse(
    `detect returned ${returned === null ? "null" : typeof returned}; it must be a generator (function*) or return a list of detections`,
  );
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value;
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value;
}

/** Message and, for the module's author, the line in the module where it came from. */
function describeThrown(error: unknown): string {
  const words = errorText(error);
  if (!(error instanceof Error)) return `${error === null ? "null" : typeof error} ${words}`;
  const frames = typeof error.stack === "string" ? error.stack.split("\n") : [];
  const place = frames.find((line) => line.trimStart().startsWith("at "))?.trim();
  return `${errorText(error.name)}: ${words}${place === undefined ? "" : ` (${cut(place, 300)})`}`;
}
