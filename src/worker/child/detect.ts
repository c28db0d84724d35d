import { parseDetection, type SafeClear } from "../../core/detection.ts";
import { inTime } from "../../core/in_time.ts";
import type { SafeDetection } from "../../core/model.ts";
import { type ClientFacts, makeClient } from "../../source/client/alarm_client.ts";
import { FetchError } from "../../source/fetch_error.ts";
import { errorText } from "../../text/describe.ts";
import type { JsonObject } from "../../text/json.ts";
import type { DetectError } from "../worker_message.ts";
import type { Detect } from "./load.ts";
import { placeOf } from "./place.ts";

export interface DetectFacts extends Omit<ClientFacts, "signal" | "onWait"> {
  readonly detect: Detect;
  readonly params: JsonObject;
  /** Seconds that `detect` may take. */
  readonly timeout: number;
  /** Called before the module continues. */
  readonly onDetection: (detection: SafeDetection) => void;
  readonly onClear: (clear: SafeClear) => void;
}

/** Aborts the client's signal, and with it the requests that the module does not wait for. */
export class DetectEnded extends Error {}

class OutOfTime extends DetectEnded {
  readonly isWaiting: boolean;

  constructor(seconds: number, isWaiting = false) {
    super(`out of time: detect did not end within ${seconds} s`);
    this.isWaiting = isWaiting;
  }
}

/** Runs `detect` once. Never throws; undefined if it returned. */
export async function runDetect(facts: DetectFacts): Promise<DetectError | undefined> {
  const started = performance.now();
  const end = new AbortController();
  const { signal } = end;
  /** Responses that the module waits for. */
  let awaited = 0;
  const timer = setTimeout(
    () => end.abort(new OutOfTime(facts.timeout, awaited > 0)),
    facts.timeout * 1000,
  );
  /** What the module left running says nothing any more. */
  const whileRunning =
    <Args extends readonly unknown[]>(report: (...args: Args) => void) =>
    (...args: Args): void => {
      if (!signal.aborted) report(...args);
    };
  const client = makeClient({
    ...facts,
    signal,
    log: whileRunning(facts.log),
    onIncomplete: whileRunning(facts.onIncomplete),
    onNote: whileRunning(facts.onNote),
    onStates: facts.onStates && whileRunning(facts.onStates),
    onRemember: whileRunning(facts.onRemember),
    onWait: (change) => {
      awaited += change;
    },
  });
  const take = (value: unknown): void => {
    signal.throwIfAborted();
    const parsed = parseDetection(value);
    if (!parsed.ok) facts.onIncomplete(parsed.error);
    else if ("clear" in parsed) facts.onClear(parsed.clear);
    else facts.onDetection(parsed.detection);
    // A generator that never waits keeps the timer from firing.
    if (performance.now() - started > facts.timeout * 1000) throw new OutOfTime(facts.timeout);
  };
  const takeAll = async (): Promise<DetectError | undefined> => {
    const returned = await facts.detect(client, facts.params);
    if (isAsyncIterable(returned)) for await (const value of returned) take(value);
    else if (isIterable(returned)) for (const value of returned) take(value);
    else {
      const found = returned === null ? "null" : typeof returned;
      const text = `detect returned ${found}; it must be a generator (function*) or return a list of detections`;
      return { text };
    }
    return undefined;
  };
  try {
    return await inTime(takeAll(), signal);
  } catch (error) {
    return describeEnd(error);
  } finally {
    clearTimeout(timer);
    end.abort(new DetectEnded("detect has ended"));
  }
}

function describeEnd(error: unknown): DetectError {
  try {
    if (error instanceof FetchError) return { text: error.message, isFetch: true };
    if (error instanceof OutOfTime) return { text: error.message, isWaiting: error.isWaiting };
    return { text: `detect threw ${describeThrown(error)}` };
  } catch {
    return { text: "detect threw an error that cannot be read" };
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}

function describeThrown(error: unknown): string {
  const text = errorText(error);
  if (error === null || error === undefined) return text;
  if (!(error instanceof Error)) return `${typeof error} ${text}`;
  const isLost = error instanceof TypeError && text.endsWith("is not iterable");
  const remedy = isLost
    ? '; write "for await" for client.pages, and "await" for any other call of the client'
    : "";
  return `${errorText(error.name)}: ${text}${causeOf(error)}${placeOf(error)}${remedy}`;
}

/** Node's own `fetch` says only "fetch failed". A request of the client that failed is a reason by itself. */
function causeOf({ cause }: Error): string {
  if (!(cause instanceof Error) || cause instanceof FetchError) return "";
  return ` (cause: ${errorText(cause)})`;
}
