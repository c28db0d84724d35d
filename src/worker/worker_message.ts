import {
  array,
  boolean,
  custom,
  type InferOutput,
  literal,
  nullable,
  number,
  object,
  optional,
  picklist,
  record,
  safeParse,
  string,
  unknown,
  variant,
} from "valibot";
import { STATES } from "../author/expectations/expectation.ts";
import { MAX_CLEAR, MAX_KEY, MAX_LEVEL } from "../core/detection.ts";
import type { SafeDetection } from "../core/model.ts";
import { attempt } from "../text/attempt.ts";
import { isJsonObject } from "../text/json.ts";

/** A detection as the worker's own code has parsed it; checked again, since a module may change that code. */
const Detection = custom<SafeDetection>(
  (value) =>
    isJsonObject(value) &&
    isShort(value.dedupeKey, MAX_KEY) &&
    typeof value.subject === "string" &&
    typeof value.body === "string" &&
    isJsonObject(value.data) &&
    Array.isArray(value.recipients) &&
    value.recipients.every((each) => typeof each === "string") &&
    isLevel(value.severity) &&
    isLevel(value.stage),
);

function isShort(value: unknown, max: number): boolean {
  return typeof value === "string" && value !== "" && value.length <= max;
}

function isLevel(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && value.length <= MAX_LEVEL);
}

const request = {
  source: string(),
  path: string(),
  query: record(string(), string()),
  as: optional(picklist(["json", "text"])),
  post: optional(object({ text: string(), type: optional(string()) })),
  timeout: optional(number()),
  attempts: optional(number()),
  allow404: optional(boolean()),
  ahead: optional(boolean()),
  fresh: optional(boolean()),
  scope: optional(string()),
};

const Message = variant("type", [
  object({ type: literal("detections"), detections: array(Detection) }),
  object({
    type: literal("clear"),
    dedupeKey: custom<string>((value) => isShort(value, MAX_KEY)),
    reason: custom<string>((value) => isShort(value, MAX_CLEAR)),
  }),
  /** With a prefix, only the keys that begin with it are not known. */
  object({ type: literal("incomplete"), reason: string(), prefix: optional(string()) }),
  object({ type: literal("note"), text: string() }),
  /** What became of the expectations of an entity, if the task asks for it. */
  object({
    type: literal("states"),
    entity: string(),
    states: record(string(), picklist(STATES)),
  }),
  /** What the module wants to keep, as JSON. */
  object({ type: literal("remember"), text: string() }),
  /** How far it has read a spool, as JSON. */
  object({ type: literal("position"), source: string(), text: string() }),
  /** An unhandled error of whatever runs in the process. */
  object({ type: literal("unhandled"), reason: string() }),
  object({ type: literal("log"), text: string() }),
  object({ type: literal("request"), id: number(), ...request }),
  /** A response with status 200 could not be used. */
  object({ type: literal("invalid"), ...request, reason: string() }),
  /** Asks for what the engine knows of the alarm; each has an answer. */
  object({ type: picklist(["firing", "firing events", "previous", "positions"]), id: number() }),
  /** The task is over. */
  object({
    type: literal("end"),
    /** Of a load; parsed by `parseModule`. */
    exports: unknown(),
    error: nullable(
      object({
        text: string(),
        /** `detect` threw the error of a failed request. */
        isFetch: optional(boolean()),
        /** Its time was up while it waited for a response. */
        isWaiting: optional(boolean()),
      }),
    ),
    /** Whether the process may run another module. */
    clean: boolean(),
  }),
  /** The process exits although the engine did not end it. */
  object({ type: literal("exit"), code: number() }),
]);

export type WorkerMessage = InferOutput<typeof Message>;
export type ModuleRequest = Extract<WorkerMessage, { type: "request" }>;
export type InvalidResponse = Extract<WorkerMessage, { type: "invalid" }>;
export type TaskEnd = Extract<WorkerMessage, { type: "end" }>;
export type DetectError = NonNullable<TaskEnd["error"]>;

/** The message in a line from the worker; undefined unless it belongs to this job: modules can write there too. */
export function parseWorkerLine(line: string, job: string): WorkerMessage | undefined {
  const value: unknown = attempt(() => JSON.parse(line), undefined);
  if (!isJsonObject(value) || value.job !== job) return undefined;
  const result = safeParse(Message, value);
  return result.success ? result.output : undefined;
}
