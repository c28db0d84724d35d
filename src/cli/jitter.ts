import { setTimeout as sleep } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import type { Log } from "../core/log.ts";

/** Seconds: there is a tick every five minutes. */
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
 * Waits between no and `jitter` seconds, for `random` from 0 to 1: everybody's jobs start on the full
 * minute. Nothing is open yet, so that a signal may end the process at once.
 */
export async function waitSomeTime(jitter: number, random: number, log: Log): Promise<void> {
  const seconds = jitter * random;
  log.debug(`waiting for ${seconds.toFixed(1)} s of --jitter ${jitter}`);
  await sleep(seconds * 1000);
}
