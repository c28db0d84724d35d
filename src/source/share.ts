import fastq from "fastq";
import type { Requester } from "./requester.ts";

/** A source that several alarms ask. */
export interface SharedSource extends Requester {
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
): Requester {
  const questions = fastq.promise<unknown, Request, Buffer | undefined>(async (question) => {
    await ready();
    signal.throwIfAborted();
    return await source.request(...question);
  }, source.maxConnections);
  return { request: (...question) => questions.push(question) };
}

type Request = Parameters<Requester["request"]>;
