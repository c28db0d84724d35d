import { ExpectedError } from "../core/expected_error.ts";
import { quote } from "../text/describe.ts";

/** One event, as supervisord sends it to a listener. */
export interface SupervisorEvent {
  /** Of the supervisord, as its configuration sets it. */
  readonly identifier: string;
  /** Counts the events of a run of supervisord, from 0. An event that is sent again keeps it. */
  readonly serial: number;
  /** The `[eventlistener:…]`, and the event's number there. */
  readonly pool: string;
  readonly poolserial: number;
  /** Such as `PROCESS_STATE_EXITED`. */
  readonly name: string;
  readonly payload: string;
}

/** What is read is not the protocol: nothing that follows can be understood either. */
export class ProtocolError extends ExpectedError {}

/** Characters; a longer header is something else. */
const MAX_HEADER = 4_096;

/** The whole events at the beginning of a text, and the rest, which more text may complete. Throws ProtocolError. */
export function readEvents(text: string): { events: readonly SupervisorEvent[]; rest: string } {
  const events: SupervisorEvent[] = [];
  let at = 0;
  for (;;) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? at + MAX_HEADER + 1 : end);
    if (line.length > MAX_HEADER) throw notAHeader(line);
    if (end < 0) break;
    const { length, ...event } = parseHeader(line);
    const next = skipCharacters(text, end + 1, length);
    if (next === undefined) break;
    events.push({ ...event, payload: text.slice(end + 1, next) });
    at = next;
  }
  return { events, rest: text.slice(at) };
}

/** An identifier may have spaces and colons, and so what looks like a key: only these end a value. */
const FIELD =
  /(?<!\S)(ver|server|serial|pool|poolserial|eventname|len):(.*?)(?=\s+(?:ver|server|serial|pool|poolserial|eventname|len):|\s*$)/g;

/** `ver:3.0 server:supervisor serial:21 …`, in any order. */
function parseHeader(line: string) {
  const fields = new Map<string, string>();
  for (const [, key = "", value = ""] of line.matchAll(FIELD)) fields.set(key, value);
  const word = (key: string): string => {
    const value = fields.get(key);
    if (value === undefined || value === "") throw notAHeader(line, key);
    return value;
  };
  const count = (key: string): number => {
    const value = word(key);
    if (!/^\d{1,15}$/.test(value)) throw notAHeader(line, key);
    return Number(value);
  };
  return {
    identifier: word("server"),
    serial: count("serial"),
    pool: word("pool"),
    poolserial: count("poolserial"),
    name: word("eventname"),
    length: count("len"),
  };
}

/** The place after so many code points, in which supervisord counts; undefined where there are fewer. */
function skipCharacters(text: string, start: number, count: number): number | undefined {
  if (text.length - start < count) return undefined;
  let at = start;
  for (let left = count; left > 0; left -= 1) {
    const code = text.codePointAt(at);
    if (code === undefined) return undefined;
    at += code > 0xffff ? 2 : 1;
  }
  return at;
}

function notAHeader(line: string, key?: string): ProtocolError {
  const lack = key === undefined ? "" : `, without a valid "${key}"`;
  return new ProtocolError(
    `expected the header of an event from supervisord, found ${quote(line)}${lack}; only supervisord can start this command, in an [eventlistener] section`,
  );
}
