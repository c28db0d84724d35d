import { parseDetection } from "../../core/detection.ts";
import type { SafeDetection } from "../../core/model.ts";
import { makeClient } from "../../source/alarm_client.ts";
import { FetchError } from "../../source/fetch_error.ts";
import { inTime } from "../../source/in_time.ts";
import type { Requester } from "../../source/requester.ts";
import { errorText } from "../../text/describe.ts";
import type { JsonObject } from "../../text/json.ts";
import type { DetectError } from "../protocol.ts";
import type { Detect } from "./load.ts";
import { placeOf } from "./place.ts";

export interface DetectFacts {
  readonly detect: Detect;
  readonly params: JsonObject;
  readonly sources: ReadonlyMap<string, Requester>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  /** Seconds that `detect` may take. */
  readonly timeout: number;
  readonly log: (message: string) => void;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => Promise<readonly string[]>;
  /** Called before the module goes on. */
  readonly onDetection: (detection: SafeDetection) => void;
  /** Called with every reason why the module did not see everything. */
  readonly onIncomplete: (reason: string) => void;
}

/** Runs `detect` once. Never throws; undefined where it ended by itself. */
export async function runDetect(facts: DetectFacts): Promise<DetectError | undefined> {
  const started = performance.now();
  let closed = false;
  const deadline = new AbortController();
  const timer = setTimeout(
    () => deadline.abort(new OutOfTime(facts.timeout)),
    facts.timeout * 1000,
  );
  const client = makeClient({
    ...facts,
    sources: new Map([...facts.sources].map(([name, asker]) => [name, asking(asker, deadline)])),
    log: (message) => {
      if (!closed) facts.log(message);
    },
    signal: deadline.signal,
    onIncomplete: (reason) => {
      if (!closed) facts.onIncomplete(reason);
    },
  });
  const take = (value: unknown): void => {
    const parsed = parseDetection(value);
    if (parsed.ok) facts.onDetection(parsed.detection);
    else facts.onIncomplete(parsed.fault);
    // A generator that never waits keeps the timer from firing, so the clock is looked at as well.
    if (performance.now() - started > facts.timeout * 1000) throw new OutOfTime(facts.timeout);
  };
  try {
    await drain(() => facts.detect(client, facts.params), take, deadline.signal);
    return undefined;
  } catch (error) {
    return describeEnd(error);
  } finally {
    clearTimeout(timer);
    closed = true;
    // Whatever the module left running must not go on asking.
    deadline.abort(new Error("detect has ended"));
  }
}

/** Asks only until the end: what a module forgot must not ask in the next one's name. */
function asking(asker: Requester, { signal }: AbortController): Requester {
  return {
    request: (...question) =>
      signal.aborted ? Promise.reject(signal.reason) : asker.request(...question),
  };
}

function describeEnd(error: unknown): DetectError {
  try {
    if (error instanceof FetchError) return { text: error.message, isFetch: true };
    const isOurs = error instanceof OutOfTime || error instanceof Misuse;
    return {
      text: isOurs ? error.message : `detect threw ${describeThrown(error)}`,
      isFetch: false,
    };
  } catch {
    return { text: "detect threw something that throws at whoever looks at it", isFetch: false };
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
  take: (value: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const iterator = iterate(await inTime(Promise.resolve(start()), signal));
  const takeAll = async (): Promise<void> => {
    for (;;) {
      const step = await iterator.next();
      if (step.done === true || signal.aborted) return;
      take(step.value);
    }
  };
  try {
    await inTime(takeAll(), signal);
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
  if (error === null || error === undefined) return words;
  if (!(error instanceof Error)) return `${typeof error} ${words}`;
  return `${errorText(error.name)}: ${words}${placeOf(error)}`;
}
