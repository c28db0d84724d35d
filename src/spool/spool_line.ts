import {
  boolean,
  finite,
  number,
  object,
  optional,
  pipe,
  regex,
  safeInteger,
  safeParse,
  string,
} from "valibot";
import { attempt } from "../text/attempt.ts";

/** One event, as a feeder writes it and a spool has it. */
export interface SpoolLine {
  /** One run of the service that sent it: see `originOf` in spool_line_text.ts. */
  readonly origin: string;
  /** Of the event. (origin, serial) names it: written twice, it counts once. */
  readonly serial: number;
  /** The feeder that got it, and its number there: they count without gaps within an origin. */
  readonly pool: string;
  readonly poolserial: number;
  /** What it is, such as `PROCESS_STATE_EXITED`. */
  readonly event: string;
  /** When the feeder got it, in epoch seconds by the feeder's clock. */
  readonly at: number;
  readonly payload: string;
  /** The feeder answered it and keeps no payload: only its numbers count. */
  readonly skipped?: boolean | undefined;
}

const COUNT = pipe(number(), safeInteger());

const LINE = object({
  origin: pipe(string(), regex(/^.+:[^:]+$/s)),
  serial: COUNT,
  pool: string(),
  poolserial: COUNT,
  event: string(),
  at: pipe(number(), finite()),
  payload: string(),
  skipped: optional(boolean()),
});

/** Undefined for what is no whole line: a crash or a full disk may have cut it. */
export function parseSpoolLine(text: string): SpoolLine | undefined {
  const parsed = safeParse(
    LINE,
    attempt((): unknown => JSON.parse(text), undefined),
  );
  return parsed.success ? parsed.output : undefined;
}

/** The service of an origin, whichever run. */
export function identifierOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf(":"));
}
