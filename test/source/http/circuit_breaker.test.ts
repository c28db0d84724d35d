import { describe, expect, test } from "vitest";
import { CircuitBreaker, OPEN_AFTER } from "../../../src/source/http/circuit_breaker.ts";
import { failed, type RequestResult } from "../../../src/source/http/request_result.ts";

type End = "ok" | "service" | "response" | "engine";

function resultOf(end: End, reason: string): RequestResult {
  if (end === "ok") return { ok: true, body: Buffer.from("{}"), headers: {} };
  return failed("status", end, reason);
}

/** How requests end, and what becomes of the one that is repeated in doubt; undefined if none has succeeded. */
interface Course {
  readonly ends: readonly End[];
  readonly probe?: End;
  /** How requests end while the probe runs. */
  readonly meanwhile?: readonly End[];
}

interface Run {
  readonly probes: number;
  readonly openReason: string | undefined;
}

function run({ ends, probe, meanwhile = [] }: Course): Run {
  const breaker = new CircuitBreaker();
  let probes = 0;
  for (const [index, end] of ends.entries()) {
    breaker.record(resultOf(end, `reason ${index}`));
    if (!breaker.isInDoubt) continue;
    if (probe !== undefined) probes += 1;
    for (const other of meanwhile) breaker.record(resultOf(other, "meanwhile"));
    breaker.recordProbe(probe && resultOf(probe, "of the probe"));
  }
  return { probes, openReason: breaker.openReason("main") };
}

function times(count: number, end: End): End[] {
  return Array.from({ length: count }, () => end);
}

describe("the circuit", () => {
  test.each<readonly [string, Course, number]>([
    ["before the first request", { ends: [] }, 0],
    ["after seven errors", { ends: times(OPEN_AFTER - 1, "service") }, 0],
    [
      "after a response between errors",
      { ends: [...times(7, "service"), "ok", ...times(7, "service")] },
      0,
    ],
    [
      "after an unusable response: the service is up",
      { ends: [...times(7, "service"), "response", "service"] },
      0,
    ],
    ["after any number of unusable responses", { ends: times(100, "response") }, 0],
    ["after requests that the end of the tick cut off", { ends: times(100, "engine") }, 0],
    [
      "after a late response to a request that was running",
      { ends: [...times(9, "service"), "ok"] },
      0,
    ],
    [
      "after eight errors, if what worked still works",
      { ends: times(8, "service"), probe: "ok" },
      1,
    ],
    [
      "if it responds to what worked in any way: the service is up",
      { ends: times(8, "service"), probe: "response" },
      1,
    ],
    ["and counts anew after that", { ends: times(15, "service"), probe: "ok" }, 1],
    ["and is probed again after eight more", { ends: times(16, "service"), probe: "ok" }, 2],
    [
      "if another request works while the probe fails",
      { ends: times(8, "service"), probe: "service", meanwhile: ["service", "ok"] },
      1,
    ],
  ])("is closed %s", (_sentence, course, probes) => {
    expect(run(course)).toEqual({ probes, openReason: undefined });
  });

  test.each<readonly [string, Course, number, string]>([
    [
      "after eight errors in a row, if nothing has worked in this tick",
      { ends: times(OPEN_AFTER, "service") },
      0,
      "not sent: main failed 8 times in a row in this tick, last error: reason 7",
    ],
    [
      "after eight errors, if what worked fails too",
      { ends: ["ok", ...times(8, "service")], probe: "service" },
      1,
      "not sent: main failed 8 times in a row in this tick, last error: reason 8",
    ],
    [
      "and counts the requests that were still running, without another probe",
      { ends: times(OPEN_AFTER + 3, "service"), probe: "service" },
      1,
      "not sent: main failed 11 times in a row in this tick, last error: reason 10",
    ],
    [
      "after eight errors with one request cut off between them",
      { ends: [...times(4, "service"), "engine", ...times(4, "service")] },
      0,
      "not sent: main failed 8 times in a row in this tick, last error: reason 8",
    ],
  ])("is open %s", (_sentence, course, probes, openReason) => {
    expect(run(course)).toEqual({ probes, openReason });
  });
});
