import { describe, expect, test } from "vitest";
import { CircuitBreaker, OPEN_AFTER } from "../../src/source/circuit_breaker.ts";
import { failed, type RequestResult } from "../../src/source/request_result.ts";

type End = "ok" | "service" | "response" | "engine";

function openAfter(ends: readonly End[]): string | undefined {
  const breaker = new CircuitBreaker();
  for (const [index, end] of ends.entries()) {
    const result: RequestResult =
      end === "ok"
        ? { ok: true, body: Buffer.from("{}"), headers: {} }
        : failed("status", end, `reason ${index}`);
    breaker.record(result);
  }
  return breaker.openReason("main");
}

function times(count: number, end: End): End[] {
  return Array.from({ length: count }, () => end);
}

describe("the circuit", () => {
  test.each<readonly [string, readonly End[]]>([
    ["before the first request", []],
    ["after seven errors", times(OPEN_AFTER - 1, "service")],
    ["after a response between errors", [...times(7, "service"), "ok", ...times(7, "service")]],
    [
      "after an unusable response: the service is up",
      [...times(7, "service"), "response", "service"],
    ],
    ["after any number of unusable responses", times(100, "response")],
    ["after requests that the end of the tick cut off", times(100, "engine")],
    ["after a late response to a request that was running", [...times(9, "service"), "ok"]],
  ])("is closed %s", (_sentence, ends) => {
    expect(openAfter(ends)).toBeUndefined();
  });

  test.each<readonly [string, readonly End[], string]>([
    [
      "after eight errors in a row",
      times(OPEN_AFTER, "service"),
      "not sent: main failed 8 times in a row in this tick, last error: reason 7",
    ],
    [
      "and counts the requests that were still running",
      times(OPEN_AFTER + 3, "service"),
      "not sent: main failed 11 times in a row in this tick, last error: reason 10",
    ],
    [
      "after eight errors with one request cut off between them",
      [...times(4, "service"), "engine", ...times(4, "service")],
      "not sent: main failed 8 times in a row in this tick, last error: reason 8",
    ],
  ])("is open %s", (_sentence, ends, reason) => {
    expect(openAfter(ends)).toBe(reason);
  });
});
