import fc from "fast-check";
import { isJsonObject, type JsonObject, type JsonValue } from "../../src/text/json.ts";

/** Names that mean something to JavaScript, to a terminal, to TOML or to nobody. */
export const oddNames = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "toJSON",
  "then",
  "length",
  "",
  " ",
  "a.b",
  "a\nb",
  "\u001b[2J",
  "\u009b31m",
  "a\u2028b",
  "\u{1f600}",
  '"',
] as const;

/** Texts that break what handles texts carelessly; without NUL and lone surrogates, as Postgres keeps none. */
export const storableText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...oddNames),
  fc.string({ unit: "binary" }).map((text) => text.replaceAll("\0", "0")),
  fc.constantFrom("NaN", "Infinity", "-1", "1e999", "null", "true", "../../etc/passwd", "@", "@x"),
  fc.constantFrom("<script>", "a\r\nBcc: b@h", "'; DROP TABLE entry; --", "%", "$1", "%ZZ"),
  fc.integer({ min: 100, max: 3_000 }).map((length) => "x\u00fc".repeat(length)),
);

/** Those too. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: storableText },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\0", "a\0b", "\ud800", "x\udfffy", "\u{1f600}".slice(1)),
  },
);

const oddNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, -1, 0.5, 2 ** 53, -(2 ** 53), 1e308, 5e-324),
);

/** JSON of any shape over these texts, with `__proto__` and the like as names of its own. */
export function jsonOver(text: fc.Arbitrary<string>): fc.Arbitrary<JsonValue> {
  const leaf: fc.Arbitrary<JsonValue> = fc.oneof(
    text,
    oddNumber,
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom(4, 100).map(nested),
  );
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.array(tie("value"), { maxLength: 4 }),
      fc.array(fc.tuple(text, tie("value")), { maxLength: 4 }).map(objectOf),
    ),
  }));
  return value;
}

/** Unlike a literal, it keeps `__proto__` as a name like any other. */
export function objectOf(entries: readonly (readonly [string, JsonValue])[]): JsonObject {
  return Object.fromEntries(entries);
}

/** A list in a list in a list: what walks it by recursion falls over. */
export function nested(depth: number): JsonValue {
  let value: JsonValue = [];
  for (let level = 1; level < depth; level++) value = [value];
  return value;
}

export const anyJson: fc.Arbitrary<JsonValue> = jsonOver(anyText);
export const storableJson: fc.Arbitrary<JsonValue> = jsonOver(storableText);

/** One thing done to one place of a value. */
export interface Mutation {
  /** Where: taken modulo what is there, on each level. */
  readonly path: readonly number[];
  readonly kind: "replace" | "delete" | "rename" | "swap";
  readonly value: JsonValue;
  readonly name: string;
}

export function mutations(
  value: fc.Arbitrary<JsonValue>,
  name: fc.Arbitrary<string>,
  maxLength = 4,
): fc.Arbitrary<readonly Mutation[]> {
  return fc.array(
    fc.record({
      path: fc.array(fc.nat(50), { minLength: 1, maxLength: 4 }),
      kind: fc.constantFrom("replace", "delete", "rename", "swap"),
      value,
      name,
    }),
    { minLength: 1, maxLength },
  );
}

/** A copy of the value with the mutations, one after the other; it may well be unlike any real one. */
export function mutate(value: JsonValue, changes: readonly Mutation[]): JsonValue {
  return changes.reduce((rest, change) => mutateAt(rest, change.path, change), value);
}

function mutateAt(value: JsonValue, path: readonly number[], change: Mutation): JsonValue {
  const entries = entriesOf(value);
  const [step, ...rest] = path;
  if (entries === undefined || entries.length === 0 || step === undefined) return change.value;
  const index = step % entries.length;
  const [key, item] = entries[index] ?? ["", null];
  if (rest.length > 0 && entriesOf(item) !== undefined) {
    entries[index] = [key, mutateAt(item, rest, change)];
  } else if (change.kind === "replace") entries[index] = [key, change.value];
  else if (change.kind === "delete") entries.splice(index, 1);
  else if (change.kind === "rename") entries[index] = [change.name, item];
  else {
    const other = (index + 1) % entries.length;
    const [otherKey, otherItem] = entries[other] ?? ["", null];
    entries[index] = [key, otherItem];
    entries[other] = [otherKey, item];
  }
  return Array.isArray(value) ? entries.map(([, entry]) => entry) : objectOf(entries);
}

function entriesOf(value: JsonValue): [string, JsonValue][] | undefined {
  if (Array.isArray(value)) return value.map((item, index) => [String(index), item]);
  if (!isJsonObject(value)) return undefined;
  return Object.entries(value).map(([key, item]) => [key, item ?? null]);
}

/** Values that fast-check itself cannot look at: made by `bake`, of which each is printed by its name. */
class Odd {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** Anything that a module may hand over: what throws when looked at, lies, never ends or is none. Bake it. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  anyJson,
  fc.constantFrom("throwing", "cyclic", "revoked", "liar", "hostile").map((name) => new Odd(name)),
  fc.constantFrom("symbol", "function", "url", "error", "list proxy").map((name) => new Odd(name)),
);

const ODD: { readonly [name: string]: () => unknown } = {
  throwing,
  cyclic,
  revoked,
  liar,
  hostile,
  symbol: () => Symbol("s"),
  function: () => () => 1,
  url: () => new URL("http://h"),
  error: () => new Error("an error"),
  "list proxy": () => new Proxy(["x"], {}),
};

/** The value with the real thing in each odd place. */
export function bake(value: unknown, depth = 5): unknown {
  if (value instanceof Odd) return ODD[value.name]?.();
  if (depth === 0 || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => bake(item, depth - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, bake(item, depth - 1)]),
  );
}

function throwing(): unknown {
  return {
    get type(): never {
      throw new Error("no luck");
    },
    get dedupeKey(): never {
      throw new Error("no luck");
    },
  };
}

function cyclic(): unknown {
  const value: { self?: unknown; list: unknown[] } = { list: [] };
  value.self = value;
  value.list.push(value, value.list);
  return value;
}

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** Another value at each look. */
function liar(): unknown {
  let looks = 0;
  return new Proxy(
    { type: "string", default: "x", dedupeKey: "k", choices: ["x"] },
    {
      get: (target, key) => {
        looks += 1;
        return looks % 2 === 0 ? looks : Reflect.get(target, key);
      },
    },
  );
}

/** Every question throws. */
function hostile(): unknown {
  const no = (): never => {
    throw new TypeError("not you");
  };
  return new Proxy(
    {},
    { get: no, has: no, ownKeys: no, getPrototypeOf: no, getOwnPropertyDescriptor: no },
  );
}

/** One line, and nothing in it that a terminal obeys. */
export const ONE_LINE = /^[^\p{Cc}\u2028\u2029]*$/u;
