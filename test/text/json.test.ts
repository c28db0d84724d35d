import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isJsonObject, type JsonValue, safeJson, safeText } from "../../src/text/json.ts";

/** Every kind of value that JavaScript has, also those that JSON lacks. */
const anything = fc.anything({
  key: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "toJSON", "a\0b")),
  values: [
    fc.string({ unit: "binary" }),
    fc.constantFrom("\0", "\ud800", "x\udfffy", Symbol("\0"), () => 1, Number.NaN, -0),
    fc.double(),
    fc.boolean(),
    fc.constantFrom(null, undefined),
  ],
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withTypedArray: true,
});

/** Every text in a value, the names of keys too. */
function textsIn(value: JsonValue | undefined): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}

function cycle(): unknown {
  const self: { [key: string]: unknown } = { name: "me" };
  self.me = self;
  return self;
}

function cyclicList(): unknown {
  const list: unknown[] = [1];
  list.push(list);
  return list;
}

function cyclicMap(): unknown {
  const map = new Map<string, unknown>();
  map.set("me", map);
  return map;
}

function nested(depth: number): unknown {
  let value: unknown = "bottom";
  for (let level = 0; level < depth; level++) value = { in: value };
  return value;
}

describe("text is made safe for Postgres", () => {
  test.each([
    ["plain text stays", "task 7: größer", "task 7: größer"],
    ["every NUL is replaced", "\0a\0", "\uFFFDa\uFFFD"],
    ["a first half of a pair without its second is replaced", "a\ud83dz", "a\uFFFDz"],
    ["a second half without its first is replaced", "\ude00z", "\uFFFDz"],
    ["a whole pair stays", "😀", "😀"],
    ["other control characters stay: Postgres takes them", "a\u0001\n\t", "a\u0001\n\t"],
    ["an empty text stays empty", "", ""],
  ])("%s", (_, text, safe) => {
    expect(safeText(text)).toBe(safe);
  });
});

describe("any value becomes JSON", () => {
  const shared = { a: 1 };
  const rows: readonly [string, unknown, JsonValue][] = [
    ["a text is made safe", "a\0", "a\uFFFD"],
    ["the name of a key is made safe", { "a\0": 1 }, { "a\uFFFD": 1 }],
    ["a number stays", 1.5, 1.5],
    ["null stays", null, null],
    ["false stays", false, false],
    ["NaN is its name", Number.NaN, "NaN"],
    ["infinity is its name", [Number.POSITIVE_INFINITY, -1 / 0], ["Infinity", "-Infinity"]],
    ["a BigInt is a string of digits", 12345678901234567890n, "12345678901234567890"],
    ["undefined is null", undefined, null],
    [
      "undefined in a list is null, so that the others keep their places",
      [undefined, 1],
      [null, 1],
    ],
    ["a hole in a list is null too", Object.assign(new Array<number>(2), { 1: 1 }), [null, 1]],
    ["a key without a value is left out", { a: undefined, b: 1 }, { b: 1 }],
    ["a function is a placeholder", { f: () => 1 }, { f: "[function]" }],
    ["a class is a function", class Task {}, "[function]"],
    ["a symbol is its name, made safe", Symbol("a\0"), "Symbol(a\uFFFD)"],
    ["a date is its ISO text", new Date(0), "1970-01-01T00:00:00.000Z"],
    ["an invalid date is a placeholder", new Date(Number.NaN), "[unreadable]"],
    ["a Map is an object", new Map([["a", 1]]), { a: 1 }],
    ["keys of a Map become strings", new Map([[7, "x"]]), { "7": "x" }],
    ["a Set is a list", new Set([1, "a"]), [1, "a"]],
    ["an object that holds itself is cut there", cycle(), { name: "me", me: "[cycle]" }],
    ["a list that holds itself is cut there", cyclicList(), [1, "[cycle]"]],
    ["a Map that holds itself is cut there", cyclicMap(), { me: "[cycle]" }],
    ["the same object twice side by side is not a cycle", [shared, shared], [{ a: 1 }, { a: 1 }]],
    ["toJSON is not called", { toJSON: () => "no", a: 1 }, { toJSON: "[function]", a: 1 }],
    ["an object without prototype is an object", Object.create(null), {}],
  ];
  test.each(rows)("%s", (_, value, json) => {
    expect(safeJson(value)).toEqual(json);
  });

  test("32 levels are kept, deeper ones are cut", () => {
    expect(JSON.stringify(safeJson(nested(32)))).toContain("bottom");
    expect(JSON.stringify(safeJson(nested(33)))).toBe(
      `${'{"in":'.repeat(32)}"[too deep]"${"}".repeat(32)}`,
    );
  });

  test("a value a hundred thousand levels deep does not exhaust the stack", () => {
    expect(textsIn(safeJson(nested(100_000)))).toContain("[too deep]");
  });

  test("a key named __proto__ is data and changes no prototype", () => {
    const safe = safeJson(JSON.parse('{"__proto__": {"admin": true}, "a": 1}'));
    expect(JSON.stringify(safe)).toBe('{"__proto__":{"admin":true},"a":1}');
    expect(Reflect.get({}, "admin")).toBeUndefined();
  });

  test.each([
    ["an error keeps its message", new Error("why it failed"), "why it failed"],
    ["an address keeps its text", new URL("http://host.example/why"), "host.example/why"],
    ["a regular expression keeps its text", /why/, "why"],
  ])("nothing is dropped silently: %s", (_, value, text) => {
    expect(JSON.stringify(safeJson({ value }))).toContain(text);
  });

  test("an object whose getter throws is unreadable", () => {
    const value = {
      get a(): never {
        throw new Error("no");
      },
      b: 1,
    };
    expect(safeJson({ value, c: 1 })).toEqual({ value: "[unreadable]", c: 1 });
  });

  test("a revoked proxy is unreadable", () => {
    expect(safeJson({ a: revoked(), b: 1 })).toEqual({ a: "[unreadable]", b: 1 });
  });

  test("values beyond the limit are marked once in each list and object", () => {
    const many = Array.from({ length: 1_000 }, (_, index) => index);
    const object = Object.fromEntries(many.map((index) => [`k${index}`, index]));
    expect(safeJson({ list: many }, 5)).toEqual({ list: [0, 1, 2, "[too large]"] });
    expect(safeJson(object, 3)).toEqual({ k0: 0, k1: 1, "…": "[too large]" });
    expect(safeJson([object, many, many], 3)).toEqual([
      { k0: 0, "…": "[too large]" },
      "[too large]",
    ]);
  });

  test("any value: the result survives JSON, is safe, and does not change when converted again", () => {
    fc.assert(
      fc.property(anything, (value) => {
        const safe = safeJson(value);
        const text = JSON.stringify(safe);
        expect(JSON.stringify(JSON.parse(text))).toBe(text);
        for (const found of textsIn(safe)) {
          expect(found).not.toContain("\0");
          expect(found.isWellFormed()).toBe(true);
        }
        expect(JSON.stringify(safeJson(safe))).toBe(text);
      }),
    );
  });
});

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe("isJsonObject", () => {
  test.each([
    ["an object is one", {}, true],
    ["null is not one", null, false],
    ["a list is not one", [], false],
    ["a string is not one", "{}", false],
    ["undefined is not one", undefined, false],
  ])("%s", (_, value, is) => {
    expect(isJsonObject(value)).toBe(is);
  });
});
