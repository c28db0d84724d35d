import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Level,
  type LevelFacts,
  levelChange,
  NO_LEVEL,
  SEVERITIES,
} from "../../src/core/level.ts";

const STAGES = ["first", "second", "third"];

function level(severity: Level["severity"], stage?: string): Level {
  return { severity, stage };
}

/** What an event that is known as this comes to with a detection of that. */
function change(before: Level, found: Level, more: Partial<LevelFacts> = {}) {
  const facts = { before, peak: before, found, severity: undefined, stages: STAGES, ...more };
  const { level: after, peak, news, reason } = levelChange(facts) ?? {};
  return reason === undefined ? undefined : [reason, news ?? "no news", after, peak];
}

describe("a detection against what its event has had", () => {
  const [warning, error] = [level("warning"), level("error")];
  const rows: readonly [string, ReturnType<typeof change>, ReturnType<typeof change>][] = [
    ["nothing of either: nothing", change(NO_LEVEL, NO_LEVEL), undefined],
    ["the same: nothing", change(error, error), undefined],
    [
      "worse: news",
      change(warning, error),
      ["severity rose: warning → error", "severity", error, error],
    ],
    [
      "from none to one: news",
      change(NO_LEVEL, warning),
      ["severity rose: none → warning", "severity", warning, warning],
    ],
    [
      "better: recorded",
      change(error, warning),
      ["severity changed: error → warning", "no news", warning, error],
    ],
    [
      "none any more: recorded",
      change(error, NO_LEVEL),
      ["severity changed: error → none", "no news", NO_LEVEL, error],
    ],
    [
      "as bad as it was once: recorded",
      change(warning, error, { peak: error }),
      ["severity changed: warning → error", "no news", error, error],
    ],
    [
      "worse than ever",
      change(warning, level("critical"), { peak: error }),
      ["severity rose: warning → critical", "severity", level("critical"), level("critical")],
    ],
    [
      "the alarm's own severity counts where it has none",
      change(error, NO_LEVEL, { severity: "error" }),
      undefined,
    ],
    [
      "that of the alarm was raised: news",
      change(warning, NO_LEVEL, { severity: "error" }),
      ["severity rose: warning → error", "severity", error, error],
    ],
    [
      "an event of an earlier version: the alarm's severity is no news",
      change(NO_LEVEL, NO_LEVEL, { peak: undefined, severity: "error" }),
      ["severity changed: none → error", "no news", error, error],
    ],
    [
      "an event of an earlier version with a lower one of its own: the alarm's severity is no news",
      change(warning, NO_LEVEL, { peak: undefined, severity: "error" }),
      ["severity changed: warning → error", "no news", error, error],
    ],
    [
      "an event of an earlier version: a worse one is",
      change(NO_LEVEL, error, { peak: undefined, severity: "warning" }),
      ["severity rose: none → error", "severity", error, error],
    ],
    [
      "an event that has a stage and no severity: the alarm's severity is no news",
      change(level(undefined, "first"), NO_LEVEL, { severity: "error" }),
      [
        "severity changed: none → error",
        "no news",
        level("error", "first"),
        level("error", "first"),
      ],
    ],
    [
      "a later stage: news",
      change(level("error", "first"), level("error", "third")),
      ["stage advanced: first → third", "stage", level("error", "third"), level("error", "third")],
    ],
    [
      "the first stage: news",
      change(error, level("error", "first")),
      ["stage advanced: none → first", "stage", level("error", "first"), level("error", "first")],
    ],
    [
      "an earlier stage: recorded",
      change(level("error", "second"), level("error", "first")),
      [
        "stage changed: second → first",
        "no news",
        level("error", "first"),
        level("error", "second"),
      ],
    ],
    ["no stage: it stays as it was", change(level("error", "second"), error), undefined],
    [
      "back at a stage that it has had: recorded",
      change(level("error", "first"), level("error", "second"), { peak: level("error", "third") }),
      [
        "stage changed: first → second",
        "no news",
        level("error", "second"),
        level("error", "third"),
      ],
    ],
    [
      "worse and later: the severity is the news",
      change(level("warning", "first"), level("error", "second")),
      [
        "severity rose: warning → error",
        "severity",
        level("error", "second"),
        level("error", "second"),
      ],
    ],
    [
      "better and later: the stage is the news",
      change(level("error", "first"), level("warning", "second")),
      [
        "stage advanced: first → second",
        "stage",
        level("warning", "second"),
        level("error", "second"),
      ],
    ],
    [
      "stages in another order make no news of the same stage",
      change(level("error", "second"), level("error", "second"), {
        stages: ["third", "second", "first"],
        peak: level("error", "third"),
      }),
      undefined,
    ],
    [
      "a stage that the module has renamed is no news",
      change(level("error", "old"), level("error", "second")),
      [
        "stage changed: old → second",
        "no news",
        level("error", "second"),
        level("error", "second"),
      ],
    ],
  ];
  test.each(rows)("%s", (_, found, expected) => {
    expect(found).toEqual(expected);
  });
});

test("over any course each news is a rise above all before, and nothing else is", () => {
  const one = fc.record({
    severity: fc.constantFrom(undefined, ...SEVERITIES),
    stage: fc.constantFrom(undefined, ...STAGES),
  });
  fc.assert(
    fc.property(fc.array(one), one, (course, first) => {
      const rank = (each: Level) => ({
        severity: each.severity === undefined ? -1 : SEVERITIES.indexOf(each.severity),
        stage: each.stage === undefined ? -1 : STAGES.indexOf(each.stage),
      });
      let [before, peak] = [first, first];
      let [worst, latest] = [rank(first).severity, rank(first).stage];
      for (const found of course) {
        const after = levelChange({ before, peak, found, severity: undefined, stages: STAGES });
        const { severity, stage } = rank(found);
        expect(after?.news).toBe(
          severity > worst ? "severity" : stage > latest ? "stage" : undefined,
        );
        worst = Math.max(worst, severity);
        latest = Math.max(latest, stage);
        if (after === undefined) continue;
        ({ level: before, peak } = after);
        expect(rank(peak)).toEqual({ severity: worst, stage: latest });
      }
    }),
  );
});
