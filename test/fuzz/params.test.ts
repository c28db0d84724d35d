import fc from "fast-check";
import { expect, test } from "vitest";
import type { ColumnSpec, ColumnSpecs, ParamSpec, ParamSpecs } from "../../src/core/param_spec.ts";
import { resolveParams } from "../../src/core/params.ts";
import { parseParamSpecs } from "../../src/core/parse_param_specs.ts";
import { showName } from "../../src/text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue, safeJson } from "../../src/text/json.ts";
import { nearest } from "../../src/text/nearest.ts";
import { anyJson, anyText, anything, bake, ONE_LINE, objectOf } from "./arbitraries.ts";
import { runs } from "./runs.ts";

const given: fc.Arbitrary<JsonObject> = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom("a", "b", "c"), anyText), anyJson), { maxLength: 5 })
  .map(objectOf);

const oddSpec = fc.oneof(
  fc.record(
    {
      type: fc.oneof(
        {
          weight: 6,
          arbitrary: fc.constantFrom("number", "integer", "string", "boolean", "list", "table"),
        },
        { weight: 1, arbitrary: anything },
      ),
      required: fc.oneof(fc.boolean(), anything),
      default: anything,
      description: fc.oneof(fc.string(), anything),
      min: fc.oneof(fc.double(), anything),
      max: fc.oneof(fc.double(), anything),
      choices: fc.oneof(fc.array(anything, { maxLength: 3 }), anything),
      columns: fc.oneof(fc.dictionary(fc.constantFrom("a", "b"), anything), anything),
    },
    { requiredKeys: ["type"] },
  ),
  anything,
);

function expectLines(texts: readonly string[]): void {
  for (const text of texts) expect(text).toMatch(ONE_LINE);
}

test("whatever a module exports and a row holds: faults in one line, or values of JSON", () => {
  const exported = fc.oneof(
    anything,
    fc.dictionary(fc.oneof(fc.constantFrom("a", "b", "c"), anyText), oddSpec, { maxKeys: 4 }),
  );
  fc.assert(
    fc.property(exported, given, (value, row) => {
      const { specs, faults } = parseParamSpecs(safeJson(bake(value)));
      expectLines(faults);
      const resolved = resolveParams(specs, row);
      expectLines([...resolved.faults, ...resolved.typos, ...resolved.unknown]);
      for (const item of Object.values(resolved.params)) expectRightType(item);
      for (const item of Object.values(resolveParams(specs, {}).params)) expectRightType(item);
    }),
    runs(10),
  );
});

/** What `detect` may get: never a function, a bigint, a date or half a number. */
function expectRightType(value: unknown): void {
  if (typeof value === "number") expect(Number.isFinite(value)).toBe(true);
  else if (Array.isArray(value) && !value.every(isJsonObject))
    expect(value.every((item) => typeof item === "string")).toBe(true);
  else if (Array.isArray(value)) for (const row of value) Object.values(row).map(expectRightType);
  else expect(["string", "boolean"]).toContain(typeof value);
}

/** Right specs, whose defaults keep their own limits. */
const column: fc.Arbitrary<ColumnSpec> = fc
  .record({
    type: fc.constantFrom("number", "integer", "string", "boolean", "list"),
    required: fc.boolean(),
    hasDefault: fc.boolean(),
    limited: fc.boolean(),
    hasChoices: fc.boolean(),
  })
  .map(({ type, required, hasDefault, limited, hasChoices }): ColumnSpec => {
    const about = { description: "d", required };
    switch (type) {
      case "number":
      case "integer":
        return {
          ...about,
          type,
          ...(hasDefault ? { default: 2 } : {}),
          ...(limited ? { min: 1, max: 5 } : {}),
          ...(hasChoices ? { choices: [2, 4, 9] } : {}),
        };
      case "boolean":
        return { ...about, type, ...(hasDefault ? { default: false } : {}) };
      case "string":
        return {
          ...about,
          type,
          ...(hasDefault ? { default: "x" } : {}),
          ...(hasChoices ? { choices: ["x", "y"] } : {}),
        };
      default:
        return {
          ...about,
          type,
          ...(hasDefault ? { default: ["x"] } : {}),
          ...(hasChoices ? { choices: ["x", "y"] } : {}),
        };
    }
  });

const columnName = fc.constantFrom("a", "b", "c");

const spec: fc.Arbitrary<ParamSpec> = fc.oneof(
  { weight: 3, arbitrary: column },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("table" as const),
      description: fc.constant("d"),
      required: fc.boolean(),
      columns: fc.dictionary(columnName, column, { minKeys: 1, noNullPrototype: true }),
    }),
  },
);

/** Values near the limits of those columns, and any other. */
const nearCell: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue[]>(0, 1, 2, 4, 5, 6, 9, 2.5, -0, 2 ** 53, "x", "y", "z", "", " ", "2"),
  fc.constantFrom<JsonValue[]>([], ["x"], ["y", "x"], ["z"], ["x", 2], [["x"]], {}, { x: "x" }),
  fc.constantFrom<JsonValue[]>(null, true, false),
  anyJson,
);

const near: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 3, arbitrary: nearCell },
  {
    weight: 1,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.array(fc.tuple(columnName, nearCell)).map(objectOf) },
        { weight: 1, arbitrary: nearCell },
      ),
      { maxLength: 3 },
    ),
  },
);

/** What the documentation promises, written down a second time. */
function model(
  specOf: ParamSpec,
  value: JsonValue | undefined,
): JsonValue | "missing" | "fault" | undefined {
  const blank = value === "" || value === " " || (Array.isArray(value) && value.length === 0);
  const isText = typeof value === "string" && value.trim() === "";
  if (value === undefined || value === null || (specOf.required === true && (blank || isText))) {
    if (specOf.type !== "table" && specOf.default !== undefined) {
      return typeof specOf.default === "object" ? [...specOf.default] : specOf.default;
    }
    return specOf.required === true ? "missing" : undefined;
  }
  if (specOf.type === "table") return modelOfTable(specOf.columns, value);
  return isRight(specOf, value) ? value : "fault";
}

function modelOfTable(columns: ColumnSpecs, value: JsonValue): JsonValue {
  if (!Array.isArray(value)) return "fault";
  const rows = value.map((row): JsonValue => {
    if (!isJsonObject(row) || !Object.keys(row).every((name) => Object.hasOwn(columns, name)))
      return "fault";
    const cells = Object.entries(columns).map(
      ([name, specOf]) => [name, model(specOf, row[name])] as const,
    );
    if (cells.some(([, cell]) => cell === "fault" || cell === "missing")) return "fault";
    return Object.fromEntries(cells.filter(([, cell]) => cell !== undefined));
  });
  return rows.includes("fault") ? "fault" : rows;
}

function isRight(specOf: ColumnSpec, value: JsonValue): boolean {
  if (specOf.type === "boolean") return value === true || value === false;
  if (specOf.type === "string")
    return typeof value === "string" && (specOf.choices ?? [value]).includes(value);
  if (specOf.type === "list")
    return (
      Array.isArray(value) &&
      value.every((item) => typeof item === "string" && (specOf.choices ?? [item]).includes(item))
    );
  if (typeof value !== "number") return false;
  const [low, high] = [specOf.min ?? value, specOf.max ?? value];
  if (specOf.type === "integer" && !Number.isSafeInteger(value)) return false;
  return value >= low && value <= high && (specOf.choices ?? [value]).includes(value);
}

test("right specs and any values resolve as the model says", () => {
  const entries = fc.uniqueArray(
    fc.tuple(
      fc.oneof(fc.constantFrom("a", "b"), anyText),
      spec,
      fc.option(near, { nil: undefined }),
    ),
    {
      maxLength: 4,
      selector: ([name]) => name,
    },
  );
  fc.assert(
    fc.property(entries, anyText, (list, stranger) => {
      const specs: ParamSpecs = Object.fromEntries(list.map(([name, specOf]) => [name, specOf]));
      const parsed = parseParamSpecs(specs);
      expect(parsed).toEqual({ specs, faults: [] });
      const row: JsonObject = Object.fromEntries([
        [stranger, 1],
        ...list.flatMap(([name, , value]) => (value === undefined ? [] : [[name, value]])),
      ]);
      const resolved = resolveParams(parsed.specs, row);
      const own = (name: string): JsonValue | undefined =>
        Object.hasOwn(row, name) ? row[name] : undefined;
      const expected = list.map(([name, specOf]) => ({ name, result: model(specOf, own(name)) }));
      expect(resolved.missing).toEqual(
        expected.filter(({ result }) => result === "missing").map(({ name }) => name),
      );
      const begins = expected.flatMap(({ name, result }) =>
        result === "fault" ? [`parameter ${showName(name)}`] : [],
      );
      const begin = (fault: string) =>
        begins.find((each) => fault.startsWith(`${each}:`) || fault.startsWith(`${each}[`));
      expect(new Set(resolved.faults.map(begin))).toEqual(new Set(begins));
      expect(resolved.params).toEqual(
        Object.fromEntries(
          expected
            .filter(
              ({ result }) => result !== undefined && result !== "missing" && result !== "fault",
            )
            .map(({ name, result }) => [name, result]),
        ),
      );
      expect([...resolved.typos, ...resolved.unknown]).toHaveLength(
        Object.hasOwn(specs, stranger) ? 0 : 1,
      );
    }),
    runs(2),
  );
});

test("the nearest name is one of the known, itself if it is one, and never far", () => {
  fc.assert(
    fc.property(
      anyText,
      fc.array(fc.oneof(anyText, fc.constant("threshold")), { maxLength: 5 }),
      (name, known) => {
        const guess = nearest(name, known);
        if (known.includes(name)) expect(guess).toBe(name);
        else if (guess !== undefined) {
          expect(known).toContain(guess);
          expect(Math.abs([...guess].length - [...name].length) * 3).toBeLessThanOrEqual(
            Math.max(guess.length, name.length),
          );
        }
      },
    ),
    runs(2),
  );
});
