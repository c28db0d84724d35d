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
  /** The feeder was not to keep this event; without its line it would look like a lost one. */
  readonly skipped?: boolean | undefined;
}

/** The line with its end. */
export function spoolLineText(line: SpoolLine): string {
  const { origin, serial, pool, poolserial, event, at, skipped } = line;
  const payload = cut(line.payload, MAX_PAYLOAD);
  return `${JSON.stringify({ origin, serial, pool, poolserial, event, at, payload, skipped })}\n`;
}
