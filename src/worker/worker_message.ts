import {
  array,
  boolean,
  type InferOutput,
  is,
  literal,
  nullable,
  nullish,
  number,
  object,
  record,
  safeParse,
  string,
  union,
  unknown,
  variant,
} from "valibot";

const scalar = nullish(union([string(), number(), boolean()]));

const Message = variant("said", [
  object({ said: literal("loaded"), loaded: unknown(), clean: boolean() }),
  object({ said: literal("detections"), detections: array(unknown()) }),
  object({ said: literal("incomplete"), reason: string() }),
  object({ said: literal("stray"), reason: string() }),
  object({ said: literal("log"), text: string() }),
  object({
    said: literal("request"),
    id: number(),
    source: string(),
    path: string(),
    query: record(string(), scalar),
    allow404: boolean(),
    ahead: boolean(),
  }),
  object({ said: literal("needs"), id: number() }),
  object({ said: literal("firing"), id: number() }),
  object({
    said: literal("end"),
    error: nullable(object({ text: string(), isFetch: boolean() })),
    changed: array(string()),
    clean: boolean(),
  }),
  object({ said: literal("exit"), code: number() }),
]);

/** Detections and what a module says of itself are looked at by whoever takes them. */
export type WorkerMessage = InferOutput<typeof Message>;

const Job = object({ job: string() });

/**
 * What a line from the worker says of this job; undefined where it says nothing of it, as a module may
 * write there too.
 */
export function parseWorkerLine(line: string, job: string): WorkerMessage | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (!is(Job, value) || value.job !== job) return undefined;
    const result = safeParse(Message, value);
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}
