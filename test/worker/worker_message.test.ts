import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWorkerLine } from "../../src/worker/worker_message.ts";

const JOB = "the job";

function parse(message: unknown): unknown {
  return parseWorkerLine(JSON.stringify(message), JOB);
}

describe("what a module's process says is understood", () => {
  test.each([
    { said: "loaded", loaded: { ok: false, fault: "x" }, clean: true },
    { said: "detections", detections: [{ dedupeKey: "a" }] },
    { said: "incomplete", reason: "x" },
    { said: "stray", reason: "x" },
    { said: "log", text: "x" },
    {
      said: "request",
      id: 1,
      source: "main",
      path: "/",
      query: { a: "1" },
      allow404: false,
      ahead: true,
    },
    { said: "needs", id: 1 },
    { said: "end", error: null, changed: [], clean: true },
    { said: "end", error: { text: "x", isFetch: true }, changed: ["JSON"], clean: false },
    { said: "exit", code: 1 },
  ])("$said", (message) => {
    expect(parse({ ...message, job: JOB })).toEqual(message);
  });
});

describe("what is none of its words is nothing", () => {
  const end = { said: "end", error: null, changed: [], clean: true };
  test.each<[string, unknown]>([
    ["another word", { said: "done", job: JOB }],
    ["a word of another job, such as one that ended before", { ...end, job: "another" }],
    ["a word of no job", end],
    ["a job that is no text", { ...end, job: [JOB] }],
    ["an end that does not say how", { said: "end", job: JOB }],
    ["a question without its number", { said: "request", source: "main", path: "/", job: JOB }],
    ["null", null],
    ["a list", [end]],
  ])("%s", (_, message) => {
    expect(parse(message)).toBeUndefined();
  });

  test("any text at all", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(parseWorkerLine(text, JOB)).toBeUndefined();
      }),
    );
  });
});
