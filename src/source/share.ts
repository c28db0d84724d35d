import fastq from "fastq";
import type { Requester, SourceRequest, SourceResponse } from "./requester.ts";

export interface SharedSource extends Requester {
  /** Requests that it sends side by side. */
  readonly maxConnections: number;
  /** The setting that holds up requests now, such as `max_per_minute = 30`; undefined if none does. */
  heldUpBy?(): string | undefined;
}

/**
 * One alarm's access to a source. The source works in order, so an alarm that makes thousands of requests at once
 * would block the others. Here only `maxConnections` of them reach the source; the next ones wait until the
 * alarm is `ready` for a response, and none is sent after `signal`, which also ends those that no other alarm waits for.
 */
export function shareOf(
  source: SharedSource,
  signal: AbortSignal,
  ready: () => Promise<void>,
): Requester {
  const send = async (request: SourceRequest): Promise<SourceResponse> => {
    await ready();
    signal.throwIfAborted();
    return await source.request({ ...request, signal });
  };
  const queue = fastq.promise(send, source.maxConnections);
  return { kind: source.kind, request: (request) => queue.push(request) };
}
