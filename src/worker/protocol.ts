import type { ModuleFile } from "../alarm/discover.ts";
import type { RequestFailure } from "../source/fetch_error.ts";
import type { SourceKindName, SourceResponse } from "../source/requester.ts";
import type { JsonObject } from "../text/json.ts";

/**
 * What the engine and a worker send each other: one JSON object a line, on a pipe for each direction, so that
 * no output of a module is taken for a message. The body of a response follows its line as it came.
 */

/** File descriptors of the pipes in the worker. */
export const PIPES = { toEngine: 3, toWorker: 4 } as const;

interface LoadTask {
  readonly type: "load";
  readonly file: ModuleFile;
  /** Seconds. */
  readonly timeout: number;
}

export interface DetectTask extends Omit<LoadTask, "type"> {
  readonly type: "detect";
  readonly params: JsonObject;
  /** The configured sources; their addresses and credentials stay in the engine. */
  readonly sources: readonly { readonly name: string; readonly kind: SourceKindName }[];
  /** Epoch seconds of the tick. */
  readonly now: number;
  /** Whether to send what became of the expectations of each entity. */
  readonly states: boolean;
}

export type Task = LoadTask | DetectTask;

export type ToWorker =
  /** Each message about the task repeats `job`; what an earlier module left running does not know it. */
  | (Task & { readonly job: string })
  /** The response of a source, or the answer to a question about the alarm as JSON; its body follows. */
  | ({ readonly type: "response"; readonly id: number } & Omit<SourceResponse, "body">)
  | { readonly type: "fail"; readonly id: number; readonly failure: RequestFailure };

/** Why an outcome is partial if `detect` returned and a request of it had no response. */
export const UNANSWERED =
  "a request was still running when detect ended; await each one, and limit its time with the option timeout of client.request";
