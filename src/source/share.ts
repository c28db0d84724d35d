import fastq from "fastq";
import type { Asker } from "./asker.ts";

/** A source that several alarms ask. */
export interface SharedSource extends Asker {
  /** Questions that it has under way at the same time. */
  readonly maxConnections: number;
}

/**
 * One alarm's way to a source. A source answers first come, first served, so an alarm that asks
 * thousands of questions at once would keep all others waiting; and what it asked and no longer waits
 * for would still be fetched. Here as many of its questions may wait at the source as that has under way;
 * the further ones wait their turn, each until the alarm is `ready` for its answer, and none goes out
 * after `signal`.
 */
export function shareOf(
  source: SharedSource,
  signal: AbortSignal,
  ready: () => Promise<void>,
): Asker {
  const questions = fastq.promise<unknown, Question, Buffer | undefined>(async (question) => {
    await ready();
    signal.throwIfAborted();
    return await source.ask(...question);
  }, source.maxConnections);
  return { ask: (...question) => questions.push(question) };
}

type Question = Parameters<Asker["ask"]>;
