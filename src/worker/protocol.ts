import type { ModuleFile } from "../alarm/discover.ts";
import type { SafeDetection } from "../core/model.ts";
import type { Query } from "../source/paging.ts";
import type { JsonObject } from "../text/json.ts";

/**
 * What the engine and the process that runs alarm modules say to each other: one JSON object a line,
 * each way on a pipe of its own, so that nothing that a module prints can be taken for a message. The
 * answers of services follow their line as they came.
 */

/** Numbers of the pipes in the worker's process. */
export const PIPES = { toEngine: 3, toWorker: 4 } as const;

export type Task =
  | {
      readonly do: "load";
      readonly file: ModuleFile;
      /** Seconds. */
      readonly timeout: number;
    }
  | {
      readonly do: "detect";
      readonly file: ModuleFile;
      readonly params: JsonObject;
      /** Names of the configured sources; where they are and with which credentials stays outside. */
      readonly sources: readonly string[];
      /** Epoch seconds of the tick. */
      readonly now: number;
      /** Seconds. */
      readonly timeout: number;
    };

export type ToWorker =
  /** `job` marks all that is said of this task: what an earlier module left behind does not know it. */
  | (Task & { readonly job: string })
  /** To a question; JSON in UTF-8 is its body, and none for a 404 where that is an answer. */
  | { readonly do: "response"; readonly id: number; readonly found: boolean }
  | { readonly do: "fail"; readonly id: number; readonly reason: string };

export type FromWorker =
  | { readonly said: "loaded"; readonly loaded: unknown; readonly clean: boolean }
  | { readonly said: "detections"; readonly detections: readonly SafeDetection[] }
  | { readonly said: "incomplete"; readonly reason: string }
  /** An error that nobody caught, of whatever runs in the process. */
  | { readonly said: "stray"; readonly reason: string }
  | { readonly said: "log"; readonly text: string }
  | ({ readonly said: "request" } & ModuleRequest)
  /** The module waits for the answer to a question that was asked ahead. */
  | { readonly said: "needs"; readonly id: number }
  /** Asks for the dedupe keys of the alarm's active events; the answer is a list of them. */
  | { readonly said: "firing"; readonly id: number }
  | ({ readonly said: "end" } & DetectEnd)
  /** The process ends although it was not asked to. */
  | { readonly said: "exit"; readonly code: number };

/** A request that a module makes; the engine sends it. */
export interface ModuleRequest {
  readonly id: number;
  readonly source: string;
  readonly path: string;
  readonly query: Query;
  readonly allow404: boolean;
  /** Asked before the module needs the answer, which may never happen; a failure matters only from then on. */
  readonly ahead: boolean;
}

/** How `detect` ended. */
export interface DetectEnd {
  /** Null where it ended by itself. */
  readonly error: DetectError | null;
  /** Globals that are not as they were. */
  readonly changed: readonly string[];
  /** Whether the process is as it was, so that it may run another module. */
  readonly clean: boolean;
}

export interface DetectError {
  readonly text: string;
  /** A failed request that the module let through. */
  readonly isFetch: boolean;
}
