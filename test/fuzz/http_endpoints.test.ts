import fc from "fast-check";
import { expect, test } from "vitest";
import { parseStatuses, problemOf } from "../../alarms/lib/http_expected.ts";
import { anyText, ONE_LINE } from "./arbitraries.ts";
import { runs } from "./runs.ts";

test("what an endpoint answers: one problem in one line, or none", () => {
  const answer = fc.record({
    kind: fc.constant("answer" as const),
    status: fc.integer({ min: 0, max: 999 }),
    location: fc.option(anyText, { nil: undefined }),
    body: anyText,
    isWhole: fc.boolean(),
    seconds: fc.double({ min: 0, max: 50, noNaN: true }),
    certificateEnd: fc.constant(undefined),
  });
  const failure = fc.record({ kind: fc.constant("failed" as const), reason: anyText });
  fc.assert(
    fc.property(fc.oneof(answer, failure), anyText, anyText, (each, status, text) => {
      const isStatus = parseStatuses(status) ?? ((code: number) => code === 200);
      const problem = problemOf(each, { status: "200", isStatus, text });
      if (problem !== undefined) expect(problem.text).toMatch(ONE_LINE);
      else expect(each).toMatchObject({ kind: "answer", body: expect.stringContaining(text) });
    }),
    runs(5),
  );
});
