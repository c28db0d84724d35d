import pLimit from "p-limit";
import type { Asker } from "./client.ts";

/** Questions of one alarm that may wait at one source; as many as the source has under way itself. */
const AT_ONCE = 4;

/**
 * One alarm's way to a source. A source answers first come, first served, so an alarm that asks
 * thousands of questions at once would keep all others waiting; and what it asked and no longer waits
 * for would still be fetched. Here its further questions wait their turn, and none goes out after
 * `signal`.
 */
export function shareOf(source: Asker, signal: AbortSignal): Asker {
  const limit = pLimit(AT_ONCE);
  return {
    ask: (path, query, absentIsAnswer) =>
      limit(() => {
        signal.throwIfAborted();
        return source.ask(path, query, absentIsAnswer);
      }),
  };
}
