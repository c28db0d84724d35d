import { setTimeout as sleep } from "node:timers/promises";
import type { SesError } from "./ses_error.ts";

/** For one call, in all. */
export const ATTEMPTS = 5;

/**
 * Calls again what SES surely did not take and may take in a moment; `firstWait` (milliseconds) doubles
 * each time. Undefined when SES took it, else how the last call failed.
 */
export async function callPatiently(
  call: () => Promise<SesError | undefined>,
  firstWait: number,
  signal: AbortSignal,
): Promise<SesError | undefined> {
  for (let attempt = 1; ; attempt++) {
    const failure = await call();
    if (failure?.again !== true || attempt === ATTEMPTS) return failure;
    // Spread, so that mails which were throttled together do not return together.
    const wait = firstWait * 2 ** (attempt - 1) * (0.5 + Math.random());
    try {
      await sleep(wait, undefined, { signal });
    } catch {
      return failure;
    }
  }
}
