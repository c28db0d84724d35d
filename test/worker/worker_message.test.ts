import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseWorkerLine } from "../../src/worker/worker_message.ts";

const JOB = "the job";
const DETECTION = { dedupeKey: "a", subject: "A", body: "", data: {}, recipients: ["@ops"] };

function parse(message: unknown): unknown {
  return parseWorkerLine(JSON.stringify(message), JOB);
}

describe("a message of the worker is parsed", () => {
  test.each([
    { type: "detections", detections: [DETECTION] },
    {
      type: "detections",
      detections: [DETECTION, { ...DETECTION, severity: "high", stage: "initial" }],
    },
    { type: "clear", dedupeKey: "a", reason: "late by 120 s" },
    { type: "clear", dedupeKey: "a", reason: "left the look-back", ifGone: true },
    { type: "incomplete", reason: "x" },
    { type: "note", text: "x" },
    { type: "states", entity: "S1", states: { map: "met", notice: "not expected" } },
    { type: "unhandled", reason: "x" },
    { type: "log", text: "x" },
    {
      type: "request",
      id: 1,
      source: "main",
      path: "/",
      query: { a: "1" },
      allow404: false,
      ahead: true,
    },
    { type: "end", exports: { detect: "function" }, error: null, clean: true },
    {
      type: "end",
      exports: null,
      error: { text: "x", isFetch: true },
      clean: false,
    },
    { type: "exit", code: 1 },
  ])("$type", (message) => {
    expect(parse({ ...message, job: JOB })).toEqual(message);
  });
});

describe("any other line is undefined", () => {
  const end = {
    type: "end",
    exports: { detect: "function" },
    error: null,

    clean: true,
  };
  test.each<[string, unknown]>([
    ...[
      { ...DETECTION, dedupeKey: "" },
      { ...DETECTION, dedupeKey: 7 },
      { ...DETECTION, dedupeKey: "k".repeat(501) },
      { ...DETECTION, subject: undefined },
      { ...DETECTION, body: null },
      { ...DETECTION, data: [] },
      { ...DETECTION, recipients: undefined },
      { ...DETECTION, recipients: ["@ops", 7] },
      { ...DETECTION, severity: 3 },
      { ...DETECTION, severity: null },
      { ...DETECTION, stage: "x".repeat(101) },
    ].map((bad): [string, unknown] => [
      `a detection that no worker sends: ${JSON.stringify(bad).slice(0, 60)}`,
      { type: "detections", detections: [DETECTION, bad], job: JOB },
    ]),
    ...[
      { dedupeKey: "a" },
      { reason: "x" },
      { dedupeKey: "a", reason: "" },
      { dedupeKey: "a", reason: null },
      { dedupeKey: "a", reason: "x".repeat(501) },
      { dedupeKey: "", reason: "x" },
      { dedupeKey: 7, reason: "x" },
      { dedupeKey: "k".repeat(501), reason: "x" },
    ].map((bad): [string, unknown] => [
      `a clear that no worker sends: ${JSON.stringify(bad).slice(0, 60)}`,
      { type: "clear", ...bad, job: JOB },
    ]),
    ["an unknown type", { type: "done", job: JOB }],
    ["a message of another job, such as one that ended before", { ...end, job: "another" }],
    ["a message without a job", end],
    ["a job that is not a string", { ...end, job: [JOB] }],
    ["an end that does not say how", { type: "end", job: JOB }],
    ["a request without its id", { type: "request", source: "main", path: "/", job: JOB }],
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
