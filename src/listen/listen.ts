import type { Readable, Writable } from "node:stream";
import { originOf } from "../spool/origin.ts";
import type { SpoolLine } from "../spool/spool_line.ts";
import { errorText } from "../text/describe.ts";
import { isKept } from "./event_names.ts";
import { readEvents, type SupervisorEvent } from "./read_events.ts";
import { Trouble } from "./trouble.ts";

export interface Listener {
  /** A path, for messages. */
  readonly folder: string;
  /** Names the run of supervisord. */
  readonly run: string;
  /** Events and families whose payload is kept. */
  readonly events: readonly string[];
  /** Throws where the line is not written. */
  append(identifier: string, line: SpoolLine): void;
  /** Called with each event after it was answered. */
  onEvent?(event: SupervisorEvent): void;
  /** Prints a message for the operators, not to `output`. */
  say(message: string): void;
  /** Epoch seconds. */
  now(): number;
}

const READY = "READY\n";
/** Never FAIL: supervisord would send the event again, and to other listeners that did not subscribe to it. */
const OK = "RESULT 2\nOK";

/**
 * Speaks supervisord's protocol of event listeners until `input` ends or `signal` is aborted. Throws ProtocolError.
 */
export async function listen(
  input: Readable,
  output: Writable,
  listener: Listener,
  signal: AbortSignal,
): Promise<void> {
  const trouble = new Trouble(listener.say);
  // A chunk may end within a character. Supervisord sends UTF-8 only.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let text = "";
  const take = (chunk: Uint8Array): void => {
    const { events, rest } = readEvents(text + decoder.decode(chunk, { stream: true }));
    text = rest;
    for (const event of events) {
      record(event, listener, trouble);
      output.write(OK + READY);
      listener.onEvent?.(event);
    }
  };
  output.write(READY);
  await new Promise<void>((resolve, reject) => {
    input.on("data", (chunk: Uint8Array) => {
      try {
        take(chunk);
      } catch (error) {
        reject(error);
      }
    });
    input.once("end", resolve).once("error", reject);
    signal.addEventListener("abort", () => resolve(), { once: true });
  }).finally(() => input.destroy());
}

function record(event: SupervisorEvent, listener: Listener, trouble: Trouble): void {
  const { identifier, serial, pool, poolserial, name } = event;
  const isWanted = isKept(name, listener.events);
  const line: SpoolLine = {
    origin: originOf(identifier, listener.run),
    serial,
    pool,
    poolserial,
    event: name,
    at: listener.now(),
    payload: isWanted ? event.payload : "",
    skipped: isWanted ? undefined : true,
  };
  try {
    listener.append(identifier, line);
    trouble.ended(
      (times) => `the spool ${listener.folder} is written again; ${times} events are lost`,
    );
  } catch (error) {
    trouble.began(
      `cannot write to the spool ${listener.folder}: ${errorText(error)}; until this is over, events are answered and lost`,
    );
  }
}
