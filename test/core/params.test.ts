import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { ParamSpec, ParamSpecs, ParamsOf } from "../../src/core/param_spec.ts";
import { resolveParams } from "../../src/core/params.ts";
import { parseParamSpecs } from "../../src/core/parse_param_specs.ts";
import { showName } from "../../src/text/describe.ts";
import { isJsonObject, type JsonObject } from "../../src/text/json.ts";

/** What is wrong with a value of one parameter; "right" where nothing is. */
function verdict(spec: ParamSpec, value: JsonObject[string]): string {
  const { faults, missing, unknown, params } = resolveParams({ p: spec }, { p: value });
  expect([...missing, ...unknown]).toEqual([]);
  if (faults.length > 0) {
    expect(params, "a wrong value is not handed on").toEqual({});
    return faults.join("; ");
  }
  expect(params).toEqual({ p: value });
  return "right";
}

const about = { description: "" };

describe("a value is checked against its spec", () => {
  const number: ParamSpec = { ...about, type: "number", min: 0, max: 1 };
  const integer: ParamSpec = { ...about, type: "integer" };
  const choice: ParamSpec = { ...about, type: "string", choices: ["a", "b"] };
  const list: ParamSpec = { ...about, type: "list" };
  const picks: ParamSpec = { ...about, type: "list", choices: ["a", "b"] };
  const flag: ParamSpec = { ...about, type: "boolean" };
  const rows: readonly [string, ParamSpec, JsonObject[string], string][] = [
    ["a number between the bounds is right", number, 0.5, "right"],
    ["the lower bound itself is right", number, 0, "right"],
    ["the upper bound itself is right", number, 1, "right"],
    [
      "below the lower bound is wrong",
      number,
      -0.01,
      "parameter p: must be at least 0, found -0.01",
    ],
    ["above the upper bound is wrong", number, 1.01, "parameter p: must be at most 1, found 1.01"],
    ["a string is not a number", number, "0.5", 'parameter p: must be a number, found "0.5"'],
    ["true is not a number", number, true, "parameter p: must be a number, found true"],
    ["a list is not a number", number, [1], "parameter p: must be a number, found [1]"],
    ["an integer is right", integer, -3, "right"],
    ["a fraction is not an integer", integer, 2.5, "parameter p: must be an integer, found 2.5"],
    [
      "a number too large to be exact is not an integer",
      integer,
      2 ** 53,
      "parameter p: must be an integer, found 9007199254740992; an integer is at most 9007199254740991",
    ],
    [
      "infinity is not a number",
      { ...about, type: "number" },
      Number.POSITIVE_INFINITY,
      "parameter p: must be a number, found Infinity, which is too large",
    ],
    ["a string is not an integer", integer, "3", 'parameter p: must be an integer, found "3"'],
    [
      "a number among the choices is right",
      { ...about, type: "number", choices: [1, 2] },
      2,
      "right",
    ],
    [
      "a number outside them is wrong",
      { ...about, type: "number", choices: [1, 2] },
      3,
      "parameter p: must be one of 1, 2, found 3",
    ],
    ["a string is right", { ...about, type: "string" }, "x", "right"],
    ["so is an empty one", { ...about, type: "string" }, "", "right"],
    [
      "a number is not a string",
      { ...about, type: "string" },
      5,
      "parameter p: must be a string, found 5",
    ],
    ["a string among the choices is right", choice, "b", "right"],
    [
      "a string outside them is wrong",
      choice,
      "c",
      'parameter p: must be one of "a", "b", found "c"',
    ],
    ["letter case counts", choice, "A", 'parameter p: must be one of "a", "b", found "A"'],
    ["true is right", flag, true, "right"],
    ["false is right, and does not count as not given", flag, false, "right"],
    ["the string true is wrong", flag, "true", 'parameter p: must be true or false, found "true"'],
    ["1 is wrong", flag, 1, "parameter p: must be true or false, found 1"],
    ["a list of strings is right", list, ["a", "b"], "right"],
    ["so is an empty one", list, [], "right"],
    [
      "a string is not a list",
      list,
      "a",
      `parameter p: must be a list of strings, found "a"; write --param p='["a","b"]'`,
    ],
    [
      "an object is not a list",
      list,
      {},
      `parameter p: must be a list of strings, found {}; write --param p='["a","b"]'`,
    ],
    [
      "a number in the list is wrong",
      list,
      ["a", 1],
      `parameter p: must be a list of strings, found ["a",1]; write --param p='["a","b"]'`,
    ],
    ["items among the choices are right", picks, ["b", "a", "b"], "right"],
    [
      "an item outside them is wrong",
      picks,
      ["a", "c"],
      `parameter p: each item must be one of "a", "b", found ["a","c"]; write --param p='["a","b"]'`,
    ],
  ];
  test.each(rows)("%s", (_, spec, value, expected) => {
    expect(verdict(spec, value)).toBe(expected);
  });

  test("the fault quotes only the beginning of a long value", () => {
    expect(verdict(flag, "x".repeat(1_000_000)).length).toBeLessThan(1_000);
  });
});

describe("a parameter without a value", () => {
  const rows: readonly [string, ParamSpec, JsonObject, object][] = [
    [
      "takes its default",
      { ...about, type: "number", default: 0.5 },
      {},
      { params: { p: 0.5 }, missing: [] },
    ],
    [
      "takes its default for null as well",
      { ...about, type: "string", default: "d" },
      { p: null },
      { params: { p: "d" }, missing: [] },
    ],
    [
      "takes a default of false, zero or nothing too",
      { ...about, type: "boolean", default: false },
      {},
      { params: { p: false }, missing: [] },
    ],
    [
      "gets a default list",
      { ...about, type: "list", default: ["a"] },
      {},
      { params: { p: ["a"] }, missing: [] },
    ],
    [
      "is missing where it is required",
      { ...about, type: "string", required: true },
      {},
      { params: {}, missing: ["p"] },
    ],
    [
      "is missing where it is required and null",
      { ...about, type: "string", required: true },
      { p: null },
      { params: {}, missing: ["p"] },
    ],
    [
      "is there where it is required and says something",
      { ...about, type: "string", required: true, default: "d" },
      { p: " x" },
      { params: { p: " x" }, missing: [] },
    ],
    [
      "is there where it is a required list with an item",
      { ...about, type: "list", required: true, default: ["d"] },
      { p: [""] },
      { params: { p: [""] }, missing: [] },
    ],
    [
      "is missing where it is required and blank",
      { ...about, type: "string", required: true },
      { p: " \n" },
      { params: {}, missing: ["p"] },
    ],
    [
      "is missing where it is a required list without items",
      { ...about, type: "list", required: true },
      { p: [] },
      { params: {}, missing: ["p"] },
    ],
    [
      "takes its default where it is required and empty",
      { ...about, type: "string", required: true, default: "d" },
      { p: "" },
      { params: { p: "d" }, missing: [] },
    ],
    [
      "may be empty where it is not required, whatever its default",
      { ...about, type: "string", default: "d" },
      { p: "" },
      { params: { p: "" }, missing: [] },
    ],
    [
      "is there where it is zero",
      { ...about, type: "number", required: true, default: 1 },
      { p: 0 },
      { params: { p: 0 }, missing: [] },
    ],
    [
      "is there where it is false",
      { ...about, type: "boolean", required: true, default: true },
      { p: false },
      { params: { p: false }, missing: [] },
    ],
    [
      "is not missing where it has a default, required or not",
      { ...about, type: "string", required: true, default: "d" },
      {},
      { params: { p: "d" }, missing: [] },
    ],
    [
      "is left out where it is neither required nor defaulted",
      { ...about, type: "string", required: false },
      { p: null },
      { params: {}, missing: [] },
    ],
  ];
  test.each(rows)("%s", (_, spec, given, expected) => {
    expect(resolveParams({ p: spec }, given)).toEqual({
      faults: [],
      typos: [],
      unknown: [],
      ...expected,
    });
  });

  test("a given value wins over the default", () => {
    const specs: ParamSpecs = { p: { ...about, type: "number", default: 1 } };
    expect(resolveParams(specs, { p: 2 }).params).toEqual({ p: 2 });
  });

  test("what detect does to a default list does not change the next tick's", () => {
    const specs: ParamSpecs = { p: { ...about, type: "list", default: ["a"] } };
    const { p } = resolveParams(specs, {}).params;
    if (!Array.isArray(p)) throw new Error("p is not a list");
    p.push("b");
    expect(resolveParams(specs, {}).params).toEqual({ p: ["a"] });
  });
});

const ENDPOINTS = {
  endpoints: {
    type: "table",
    description: "",
    columns: {
      url: { type: "string", required: true, description: "" },
      status: { type: "integer", default: 200, min: 100, max: 599, description: "" },
      method: { type: "string", choices: ["GET", "HEAD"], description: "" },
      tags: { type: "list", default: ["all"], description: "" },
      quiet: { type: "boolean", description: "" },
    },
  },
} as const satisfies ParamSpecs;

describe("a table", () => {
  const right: readonly [string, JsonObject[string], JsonObject[string]][] = [
    ["without rows is right", [], []],
    [
      "gets the defaults of its columns",
      [{ url: "a" }],
      [{ url: "a", status: 200, tags: ["all"] }],
    ],
    [
      "keeps what its rows have",
      [{ url: "a", status: 404, method: "HEAD", tags: [], quiet: false }],
      [{ url: "a", status: 404, method: "HEAD", tags: [], quiet: false }],
    ],
    [
      "takes null for no value",
      [{ url: "a", status: null, quiet: null }],
      [{ url: "a", status: 200, tags: ["all"] }],
    ],
  ];
  test.each(right)("%s", (_, given, expected) => {
    expect(resolveParams(ENDPOINTS, { endpoints: given })).toEqual({
      params: { endpoints: expected },
      missing: [],
      faults: [],
      typos: [],
      unknown: [],
    });
  });

  const advice = "; write it as JSON, or use --param-file";
  const known = "url, status, method, tags, quiet";
  const url = { url: "a" };
  const wrong: readonly [string, JsonObject[string], readonly string[]][] = [
    ["is not a string", "a", [`endpoints: must be a list of objects, found "a"${advice}`]],
    ["is not one row", url, [`endpoints: must be a list of objects, found {"url":"a"}${advice}`]],
    [
      "has no lists as rows",
      [["a"]],
      [`endpoints[0]: must be an object { ${known} }, found ["a"]`],
    ],
    [
      "has no null as a row",
      [url, null],
      [`endpoints[1]: must be an object { ${known} }, found null`],
    ],
    ["has what each row needs", [url, { status: 200 }], ["endpoints[1].url: has no value"]],
    ["has it although it may be blank", [{ url: " " }], ["endpoints[0].url: has no value"]],
    [
      "has values of the right type",
      [url, url, { url: "a", status: "200" }],
      ['endpoints[2].status: must be an integer, found "200"'],
    ],
    [
      "has values within their bounds",
      [{ url: "a", status: 600 }],
      ["endpoints[0].status: must be at most 599, found 600"],
    ],
    [
      "has values among the choices",
      [{ url: "a", method: "PUT" }],
      ['endpoints[0].method: must be one of "GET", "HEAD", found "PUT"'],
    ],
    [
      "has lists of strings",
      [{ url: "a", tags: "x" }],
      ['endpoints[0].tags: must be a list of strings, found "x"'],
    ],
    [
      "has no integer that JavaScript rounds",
      [{ url: "a", status: "9007199254740993" }],
      [
        'endpoints[0].status: must be an integer, found "9007199254740993"; an integer is at most 9007199254740991',
      ],
    ],
    [
      "has no columns of other names",
      [{ url: "a", stats: 1, colour: "red" }],
      [
        "endpoints[0]: unknown column stats (did you mean status?)",
        `endpoints[0]: unknown column colour (known: ${known})`,
      ],
    ],
    [
      "has no column that every object has",
      JSON.parse('[{"url": "a", "constructor": 1, "__proto__": {"status": 1}}]'),
      [
        `endpoints[0]: unknown column constructor (known: ${known})`,
        `endpoints[0]: unknown column __proto__ (known: ${known})`,
      ],
    ],
    [
      "reports the faults of all its rows",
      [{ url: 1 }, {}, { url: "a", quiet: "no" }],
      [
        "endpoints[0].url: must be a string, found 1",
        "endpoints[1].url: has no value",
        'endpoints[2].quiet: must be true or false, found "no"',
      ],
    ],
    [
      "lists five faults at most",
      Array.from({ length: 1_000 }, () => ({})),
      [0, 1, 2, 3, 4]
        .map((row) => `endpoints[${row}].url: has no value`)
        .concat("endpoints: and 995 more faults"),
    ],
  ];
  test.each(wrong)("%s", (_, given, faults) => {
    const resolved = resolveParams(ENDPOINTS, { endpoints: given });
    expect(resolved.faults).toEqual(faults.map((fault) => `parameter ${fault}`));
    expect(resolved.params).toEqual({});
  });

  test("is missing where it is required and has no rows, or takes its default with the columns' defaults", () => {
    const { endpoints } = ENDPOINTS;
    const required: ParamSpecs = { endpoints: { ...endpoints, required: true } };
    expect(resolveParams(required, { endpoints: [] }).missing).toEqual(["endpoints"]);
    const preset: ParamSpecs = { endpoints: { ...endpoints, default: [{ url: "a" }] } };
    expect(resolveParams(preset, {}).params).toEqual({
      endpoints: [{ url: "a", status: 200, tags: ["all"] }],
    });
  });

  test("what detect does to a default of a column does not change the next tick's", () => {
    const first = resolveParams(ENDPOINTS, { endpoints: [{ url: "a" }] }).params;
    const [row] = Array.isArray(first.endpoints) ? first.endpoints : [];
    if (!isJsonObject(row) || !Array.isArray(row.tags)) throw new Error("there are no tags");
    row.tags.push("more");
    expect(resolveParams(ENDPOINTS, { endpoints: [{ url: "a" }] }).params).toEqual({
      endpoints: [{ url: "a", status: 200, tags: ["all"] }],
    });
  });
});

describe("a name that the module does not know", () => {
  const specs: ParamSpecs = {
    threshold: { ...about, type: "number" },
    since_days: { ...about, type: "number" },
  };
  test.each([
    ["is named with the name that it may be meant for", "treshold", "did you mean threshold?"],
    ["without a near one, all are listed", "owner", "known: threshold, since_days"],
    ["a name of every object is unknown as well", "constructor", "known: threshold, since_days"],
    ["so is toString", "toString", "known: threshold, since_days"],
  ])("%s", (_, name, hint) => {
    const { typos, unknown, params, faults } = resolveParams(specs, { [name]: 1 });
    expect([...typos, ...unknown]).toEqual([`unknown parameter ${name} (${hint})`]);
    expect(typos).toHaveLength(hint.startsWith("did you mean") ? 1 : 0);
    expect({ params, faults }).toEqual({ params: {}, faults: [] });
  });

  test("a module without parameters knows none", () => {
    expect(resolveParams({}, { a: 1 }).unknown).toEqual(["unknown parameter a (known: none)"]);
  });

  test("__proto__ in a row is unknown and changes nothing", () => {
    const { unknown, params } = resolveParams(specs, JSON.parse('{"__proto__": {"threshold": 5}}'));
    expect(unknown).toEqual(["unknown parameter __proto__ (known: threshold, since_days)"]);
    expect(Reflect.get(params, "threshold")).toBeUndefined();
  });

  test("a value that a spec's name inherits is not given", () => {
    const spec: ParamSpec = { ...about, type: "string", required: true };
    const odd: ParamSpecs = Object.fromEntries([["constructor", spec]]);
    expect(resolveParams(odd, {}).missing).toEqual(["constructor"]);
  });
});

test("every fault, missing value and unknown name is reported at once", () => {
  const specs: ParamSpecs = {
    a: { ...about, type: "number" },
    b: { ...about, type: "string" },
    c: { ...about, type: "string", required: true },
    d: { ...about, type: "boolean", default: true },
  };
  const resolved = resolveParams(specs, { a: "x", b: 1, e: 1, f: 2 });
  expect(resolved.faults).toHaveLength(2);
  expect(resolved.missing).toEqual(["c"]);
  expect(resolved.unknown).toHaveLength(2);
  expect(resolved.params).toEqual({ d: true });
});

test("a new row starts with the defaults and nothing else", () => {
  const specs: ParamSpecs = {
    a: { ...about, type: "number", default: 0.03 },
    b: { ...about, type: "string" },
    c: { ...about, type: "list", default: [] },
    d: { ...about, type: "string", required: true },
  };
  expect(resolveParams(specs, {}).params).toEqual({ a: 0.03, c: [] });
});

describe("PARAMS as a module exports it", () => {
  const rows: readonly [string, unknown, readonly string[]][] = [
    ["is optional", undefined, []],
    ["may be empty", {}, []],
    ["may describe nothing", { p: { type: "number" } }, []],
    [
      "may use all that a spec offers",
      {
        n: { type: "integer", required: true, description: "n", min: 0, max: 9, choices: [1, 2] },
        l: { type: "list", default: ["a"], choices: ["a", "b"] },
      },
      [],
    ],
    ["is not a list", [], ["PARAMS must be an object of name: { type, … }"]],
    ["is not null", null, ["PARAMS must be an object of name: { type, … }"]],
    ["is not a string", "p", ["PARAMS must be an object of name: { type, … }"]],
    [
      "holds specs, not types",
      { p: "number" },
      ["PARAMS.p: must be an object { type, description, … }"],
    ],
    ["holds no null", { p: null }, ["PARAMS.p: must be an object { type, description, … }"]],
    [
      "names a type for each",
      { p: {} },
      [
        "PARAMS.p: type must be one of number, integer, string, boolean, list, table, found undefined",
      ],
    ],
    [
      "names a type that exists",
      { p: { type: "float" } },
      [
        'PARAMS.p: type must be one of number, integer, string, boolean, list, table, found "float"',
      ],
    ],
    [
      "has no keys that mean nothing",
      { p: { type: "number", minimum: 1 } },
      [
        "PARAMS.p: unknown key minimum (known: type, required, default, description, min, max, choices)",
      ],
    ],
    [
      "says required with true or false",
      { p: { type: "number", required: "yes" } },
      ["PARAMS.p: required must be true or false"],
    ],
    [
      "describes with strings",
      { p: { type: "number", description: 5 } },
      ["PARAMS.p: description must be a string"],
    ],
    [
      "bounds with numbers",
      { p: { type: "number", min: "0" } },
      ["PARAMS.p: min must be a number"],
    ],
    [
      "bounds with numbers above as well",
      { p: { type: "number", max: null } },
      ["PARAMS.p: max must be a number"],
    ],
    [
      "has a default that JSON cannot hold",
      { p: { type: "string", default: new Date(0) }, q: { type: "string", default: 5n } },
      [
        'PARAMS.p: default must be a string, found "1970-01-01T00:00:00.000Z"',
        "PARAMS.q: default must be a string, found 5n",
      ],
    ],
    [
      "has choices of its type",
      { p: { type: "integer", choices: [1, 5n] }, q: { type: "list", choices: ["a", 1] } },
      [
        "PARAMS.p: each choice must be a number, found 5n",
        "PARAMS.q: each choice must be a string, found 1",
      ],
    ],
    [
      "has bounds that are numbers",
      { p: { type: "number", min: Number.NaN } },
      ["PARAMS.p: min must be a number"],
    ],
    [
      "has names that fit on a line, or stays in quotes",
      { "a\n\u009b": 1 },
      ['PARAMS."a\\n\\u009b": must be an object { type, description, … }'],
    ],
    [
      "gives choices as a list",
      { p: { type: "string", choices: "ab" } },
      ["PARAMS.p: choices must be a list"],
    ],
    [
      "has a default of the right type",
      { p: { type: "number", default: "1" } },
      ['PARAMS.p: default must be a number, found "1"'],
    ],
    [
      "has a default that a row can hold",
      { p: { type: "number", default: Number.POSITIVE_INFINITY } },
      ["PARAMS.p: default must be a number, found Infinity"],
    ],
    [
      "has a default within the bounds",
      { p: { type: "number", default: 2, max: 1 } },
      ["PARAMS.p: default must be at most 1, found 2"],
    ],
    [
      "has a default among the choices",
      { p: { type: "string", default: "c", choices: ["a"] } },
      ['PARAMS.p: default must be one of "a", found "c"'],
    ],
    [
      "has no null default",
      { p: { type: "number", default: null } },
      ["PARAMS.p: default must be a number, found null"],
    ],
    [
      "has no object as a default",
      { p: { type: "number", default: {} } },
      ["PARAMS.p: default must be a number, found {}"],
    ],
    [
      "has no text where the default is a list",
      { p: { type: "list", default: "a" } },
      ['PARAMS.p: default must be a list of strings, found "a"'],
    ],
    [
      "may have tables",
      {
        t: {
          type: "table",
          required: true,
          description: "",
          columns: { a: { type: "integer", min: 0 }, b: { type: "list", required: true } },
          default: [{ a: 1, b: ["x"] }, { b: ["y"] }],
        },
      },
      [],
    ],
    [
      "names the columns of a table",
      {
        p: { type: "table" },
        q: { type: "table", columns: {} },
        r: { type: "table", columns: [] },
      },
      ["p", "q", "r"].map(
        (name) =>
          `PARAMS.${name}: columns must be an object of name: { type, … }, with one name or more`,
      ),
    ],
    [
      "has columns in tables only",
      { p: { type: "list", columns: { a: { type: "number" } } } },
      [
        "PARAMS.p: unknown key columns (known: type, required, default, description, min, max, choices)",
      ],
    ],
    [
      "has bounds in the columns of a table only",
      { p: { type: "table", columns: { a: { type: "number" } }, min: 1 } },
      ["PARAMS.p: unknown key min (known: type, columns, required, default, description)"],
    ],
    [
      "has right columns",
      {
        p: { type: "table", columns: { a: { type: "number", minimum: 1 } } },
        q: { type: "table", columns: { a: { type: "number", default: "1" } } },
        r: { type: "table", columns: { a: "number" } },
      },
      [
        "PARAMS.p.columns.a: unknown key minimum (known: type, required, default, description, min, max, choices)",
        'PARAMS.q.columns.a: default must be a number, found "1"',
        "PARAMS.r.columns.a: must be an object { type, description, … }",
      ],
    ],
    [
      "has no tables in tables",
      {
        p: { type: "table", columns: { a: { type: "table", columns: { b: { type: "number" } } } } },
      },
      [
        'PARAMS.p.columns.a: type must be one of number, integer, string, boolean, list, found "table"',
      ],
    ],
    [
      "has right rows in the default of a table",
      {
        p: { type: "table", columns: { a: { type: "number", required: true } }, default: [{}] },
        q: { type: "table", columns: { a: { type: "number" } }, default: [{ a: 1 }, { b: 2 }] },
        r: { type: "table", columns: { a: { type: "number" } }, default: { a: 1 } },
      },
      [
        "PARAMS.p.default[0].a: has no value",
        "PARAMS.q.default[1]: unknown column b (known: a)",
        'PARAMS.r: default must be a list of objects, found {"a":1}',
      ],
    ],
    [
      "reports every fault at once",
      { a: { type: "no" }, b: { type: "number" }, c: 5 },
      [
        'PARAMS.a: type must be one of number, integer, string, boolean, list, table, found "no"',
        "PARAMS.c: must be an object { type, description, … }",
      ],
    ],
  ];
  test.each(rows)("%s", (_, value, faults) => {
    expect(parseParamSpecs(value).faults).toEqual(faults);
  });

  test("good specs are kept, bad ones are left out", () => {
    const good = { type: "number", default: 1, description: "d" };
    expect(parseParamSpecs({ good, bad: 1 }).specs).toEqual({ good });
  });

  test("a parameter named __proto__ is kept like any other, or is a fault", () => {
    const { specs, faults } = parseParamSpecs(JSON.parse('{"__proto__": {"type": "number"}}'));
    expect(Object.keys(specs).length + faults.length).toBe(1);
  });

  test("whatever a module exports, the result is faults and never an exception", () => {
    const junk = fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true });
    const spec = fc.record(
      {
        type: fc.oneof(
          fc.constantFrom("number", "integer", "string", "boolean", "list", "table"),
          junk,
        ),
        columns: fc.oneof(fc.dictionary(fc.string(), junk), junk),
        required: fc.oneof(fc.boolean(), junk),
        default: junk,
        min: fc.oneof(fc.double(), junk),
        choices: fc.oneof(fc.array(junk), junk),
      },
      { requiredKeys: ["type"] },
    );
    fc.assert(
      fc.property(fc.oneof(junk, fc.dictionary(fc.string(), spec)), (value) => {
        for (const fault of parseParamSpecs(value).faults) expect(fault).toMatch(/^PARAMS/);
      }),
    );
  });
});

const json = fc.jsonValue().map((value): JsonObject[string] => JSON.parse(JSON.stringify(value)));

test("whatever a row holds, each given name is used, wrong, or unknown, and none is lost", () => {
  const specs: ParamSpecs = {
    n: { ...about, type: "number", min: 0 },
    i: { ...about, type: "integer", default: 1 },
    s: { ...about, type: "string", required: true },
    b: { ...about, type: "boolean" },
    l: { ...about, type: "list", choices: ["a"] },
    ...ENDPOINTS,
  };
  const name = fc.oneof(fc.constantFrom(...Object.keys(specs)), fc.string());
  fc.assert(
    fc.property(fc.dictionary(name, json), (given) => {
      const { params, faults, missing, typos, unknown } = resolveParams(specs, given);
      for (const key of Object.keys(given)) {
        const count =
          // A table is used with the defaults of its columns.
          Number(
            Object.hasOwn(params, key) && (params[key] === given[key] || key === "endpoints"),
          ) +
          faults.filter((fault) =>
            [":", "["].some((next) => fault.startsWith(`parameter ${showName(key)}${next}`)),
          ).length +
          [...typos, ...unknown].filter((text) =>
            text.startsWith(`unknown parameter ${showName(key)} (`),
          ).length;
        expect(count >= 1 || given[key] === null || missing.includes(key)).toBe(true);
      }
      expect(Object.keys(params).every((key) => Object.hasOwn(specs, key))).toBe(true);
    }),
  );
});

test("the specs give detect the types of its params", () => {
  const specs = {
    threshold: { type: "number", default: 0.03, description: "" },
    jobs: { type: "integer", required: true, description: "" },
    owner: { type: "string", description: "" },
    urgent: { type: "boolean", required: false, description: "" },
    states: { type: "list", default: [], description: "" },
    order: { type: "string", choices: ["new", "old"], description: "" },
    days: { type: "integer", required: true, choices: [1, 7], description: "" },
    kinds: { type: "list", default: [], choices: ["a", "b"], description: "" },
  } as const satisfies ParamSpecs;
  type Params = ParamsOf<typeof specs>;
  type Row = ParamsOf<typeof ENDPOINTS & { endpoints: { required: true } }>["endpoints"][number];
  expectTypeOf<ParamsOf<typeof ENDPOINTS>["endpoints"]>().toEqualTypeOf<
    readonly Row[] | undefined
  >();
  expectTypeOf<Row["url"]>().toEqualTypeOf<string>();
  expectTypeOf<Row["status"]>().toEqualTypeOf<number>();
  expectTypeOf<Row["method"]>().toEqualTypeOf<"GET" | "HEAD" | undefined>();
  expectTypeOf<Row["tags"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Row>().not.toHaveProperty("stats");
  expectTypeOf<Params["threshold"]>().toEqualTypeOf<number>();
  expectTypeOf<Params["jobs"]>().toEqualTypeOf<number>();
  expectTypeOf<Params["owner"]>().toEqualTypeOf<string | undefined>();
  expectTypeOf<Params["urgent"]>().toEqualTypeOf<boolean | undefined>();
  expectTypeOf<Params["states"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<Params["order"]>().toEqualTypeOf<"new" | "old" | undefined>();
  expectTypeOf<Params["days"]>().toEqualTypeOf<1 | 7>();
  expectTypeOf<Params["kinds"]>().toEqualTypeOf<readonly ("a" | "b")[]>();
  expectTypeOf<Params>().not.toHaveProperty("tresh");
  expect(Object.keys(resolveParams(specs, {}).params)).toEqual(["threshold", "states", "kinds"]);
});
