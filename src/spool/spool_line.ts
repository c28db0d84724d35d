import { finite, number, object, pipe, regex, safeInteger, safeParse, string } from "valibot";
import { attempt } from "../text/attempt.ts";
import { cut } from "../text/describe.ts";
import { MAX_PAYLOAD } from "./limits.ts";

/** One event, as a feeder writes it and a spool has it. */
export interface SpoolLine {
  /** One run of the service that sent it: see `originOf`. */
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
});

/** The line with its end. */
export function spoolLineText(line: SpoolLine): string {
  const { origin, serial, pool, poolserial, event, at } = line;
  const payload = cut(line.payload, MAX_PAYLOAD);
  return `${JSON.stringify({ origin, serial, pool, poolserial, event, at, payload })}\n`;
}

/** Undefined for what is no whole line: a crash or a full disk may have cut it. */
export function parseSpoolLine(text: string): SpoolLine | undefined {
  const parsed = safeParse(
    LINE,
    attempt((): unknown => JSON.parse(text), undefined),
  );
  return parsed.success ? parsed.output : undefined;
}

/** The name of one run of a service, whose serials restart with each; `run` has no colon. */
export function originOf(identifier: string, run: string): string {
  return `${identifier}:${run}`;
}

/** The service of an origin, whichever run. */
export function identifierOf(origin: string): string {
  return origin.slice(0, origin.lastIndexOf(":"));
}
