import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { Log } from "../core/log.ts";

/** Seconds; less than the five minutes between two ticks. */
const MOST = 240;

export function addJitterOption(command: Command): Command {
  return command.option(
    "--jitter <seconds>",
    "first wait a random time, at most this long",
    parseJitter,
  );
}

/** Seconds. Throws InvalidArgumentError. */
export function parseJitter(text: string): number {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (seconds <= MOST) return seconds;
  throw new InvalidArgumentError(`write a number of seconds from 0 to ${MOST}, such as 20`);
}

/**
 * Waits `jitter` × `random` seconds, before anything is opened: cron jobs all start on the full minute. Throws
 * the signal's reason.
 */
export async function waitJitter(
  jitter: number,
  random: number,
  log: Log,
  signal?: AbortSignal,
): Promise<void> {
  const seconds = jitter * random;
  log.debug(`waiting for ${seconds.toFixed(1)} s of --jitter ${jitter}`);
  await sleep(seconds * 1000, undefined, { signal }).catch(() => signal?.throwIfAborted());
}
