import { describe, expect, test } from "vitest";
import { judgeReadiness, type Readiness } from "../../src/alarm/readiness.ts";
import type { ParamSpecs } from "../../src/core/param_spec.ts";
import type { JsonObject } from "../../src/text/json.ts";

const SPECS: ParamSpecs = {
  owner: { type: "string", required: true, description: "" },
  threshold: { type: "number", default: 0.03, description: "" },
};

interface Facts {
  readonly given?: JsonObject;
  readonly needs?: readonly string[];
  readonly configured?: readonly string[];
  readonly specs?: ParamSpecs;
}

function judge({ given = { owner: "me" }, needs, configured = ["main"], specs = SPECS }: Facts) {
  return judgeReadiness({ params: specs, sources: needs }, given, new Set(configured));
}

const READY: Extract<Readiness, { kind: "ready" }> = {
  kind: "ready",
  params: { owner: "me", threshold: 0.03 },
  notes: [],
  typos: [],
};

describe("whether an alarm can run", () => {
  const rows: readonly [string, Facts, Readiness][] = [
    ["with every value and its service it can", {}, READY],
    [
      "a module without parameters needs none",
      { specs: {}, given: {} },
      { kind: "ready", params: {}, notes: [], typos: [] },
    ],
    [
      "a module that declares no sources needs the main service",
      { configured: ["gracedb"] },
      { kind: "not configured", missing: ["[engine] base_url is not set"] },
    ],
    ["a module that declares an empty list needs none", { needs: [], configured: [] }, READY],
    [
      "a declared source that is there is enough",
      { needs: ["gracedb"], configured: ["gracedb"] },
      READY,
    ],
    [
      "a declared source that is not there is named",
      { needs: ["gracedb"] },
      {
        kind: "not configured",
        missing: ["[sources.gracedb] is not in the configuration"],
      },
    ],
    [
      "main may be declared beside others",
      { needs: ["main", "gracedb"], configured: [] },
      {
        kind: "not configured",
        missing: ["[engine] base_url is not set", "[sources.gracedb] is not in the configuration"],
      },
    ],
    [
      "a required parameter without a value is missing configuration, not an error",
      { given: {} },
      { kind: "not configured", missing: ["parameter owner has no value"] },
    ],
    [
      "everything missing is reported at once, with unknown names: one may be the misspelt one",
      { given: { ownr: "me" }, configured: [] },
      {
        kind: "not configured",
        missing: [
          "[engine] base_url is not set",
          "parameter owner has no value",
          "unknown parameter ownr (did you mean owner?)",
        ],
      },
    ],
    [
      "an unknown parameter alone does not stop it",
      { given: { owner: "me", colour: "red" } },
      { ...READY, notes: ["unknown parameter colour (known: owner, threshold)"] },
    ],
    [
      "a mistyped parameter does not stop it, and is an error of its row",
      { given: { owner: "me", thresold: 5 } },
      { ...READY, typos: ["unknown parameter thresold (did you mean threshold?)"] },
    ],
    [
      "a wrong value is an error",
      { given: { owner: 5 } },
      { kind: "faulty", cause: "row", message: "parameter owner: must be a string, found 5" },
    ],
    [
      "an error takes precedence over what is missing",
      { given: { threshold: "high" }, configured: [] },
      {
        kind: "faulty",
        cause: "row",
        message: 'parameter threshold: must be a number, found "high"',
      },
    ],
    [
      "every wrong value is named, and what is unknown too",
      { given: { owner: 5, threshold: "high", a: 1 } },
      {
        kind: "faulty",
        cause: "row",
        message:
          'parameter owner: must be a string, found 5; parameter threshold: must be a number, found "high"; unknown parameter a (known: owner, threshold)',
      },
    ],
  ];
  test.each(rows)("%s", (_, facts, expected) => {
    expect(judge(facts)).toEqual(expected);
  });
});
