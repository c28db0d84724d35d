import { describe, expect, test } from "vitest";
import {
  type LookBackFacts,
  leftLookBack,
} from "../../../src/author/expectations/left_look_back.ts";

describe("the events of entities that left the look-back end", () => {
  test.each<[string, Partial<LookBackFacts>, readonly string[]]>([
    ["all that are not in the list", { seen: new Set() }, ["S1:map", "S2:map", "run:3:map"]],
    ["those of one that is in the list stay", { seen: new Set(["S1"]) }, ["S2:map", "run:3:map"]],
    ["an id may have a colon", { seen: new Set(["run:3"]) }, ["S1:map", "S2:map"]],
    [
      "the id is not a part of another one",
      { seen: new Set(["S", "S11", "run"]) },
      ["S1:map", "S2:map", "run:3:map"],
    ],
    [
      "a key of its own shape",
      { seen: new Set(["map"]), idOf: (key) => key.replace(/.*:/, "") },
      [],
    ],
    [
      "one that is missing and not too old stays",
      { seen: new Set(), hasLeft: (id) => id === "S2" },
      ["S2:map"],
    ],
    ["nothing is firing", { seen: new Set(), firing: [] }, []],
  ])("%s", (_, facts, ended) => {
    const firing = new Set(["S1:map", "S2:map", "run:3:map"]);
    const clears = leftLookBack({ firing, seen: new Set(), ...facts });
    expect(clears).toEqual(
      ended.map((dedupeKey) => ({ dedupeKey, clear: "left the look-back", ifGone: true })),
    );
  });

  test("a key without a colon has no id", () => {
    expect(leftLookBack({ firing: ["map"], seen: new Set(["map", "ma"]) })).toHaveLength(1);
  });
});
