import fs from "node:fs";
import { afterEach, expect, test } from "vitest";
import { watchGlobals } from "../../../src/worker/child/globals.ts";

let undo: (() => void) | undefined;
afterEach(restore);

/** Puts back what the test changed; no method of the language may be needed for it. */
function restore(): void {
  undo?.();
  undo = undefined;
}

/** Changes a property until the end of the test. */
function change(object: object, key: PropertyKey, value: unknown): void {
  const before = Object.getOwnPropertyDescriptor(object, key);
  const earlier = undo;
  undo = () => {
    if (before === undefined) Reflect.deleteProperty(object, key);
    else Object.defineProperty(object, key, before);
    earlier?.();
  };
  Object.defineProperty(object, key, {
    value,
    configurable: true,
    writable: true,
    enumerable: true,
  });
}

test("nothing has changed where nothing was changed", () => {
  const changed = watchGlobals();
  new Map([["a", 1]]).get("a");
  expect(changed()).toEqual([]);
});

test("what newer versions of Node note of their own fetch is not a change", () => {
  const changed = watchGlobals();
  change(globalThis, Symbol.for("undici.globalDispatcher.9"), {});
  expect(changed()).toEqual([]);
});

const nothing = (): undefined => undefined;
test.each<[string, object, PropertyKey, unknown]>([
  ["Array.prototype.at", Array.prototype, "at", nothing],
  ["Array.prototype.Symbol(Symbol.iterator)", Array.prototype, Symbol.iterator, nothing],
  ["Map.prototype.get", Map.prototype, "get", nothing],
  ["JSON.parse", JSON, "parse", nothing],
  ["Math.random", Math, "random", nothing],
  ["setTimeout", globalThis, "setTimeout", nothing],
  ["Date", globalThis, "Date", nothing],
  ["somethingNew", globalThis, "somethingNew", 1],
  ["process.exit", process, "exit", nothing],
  ["console.log", console, "log", nothing],
  ["node:fs.readFileSync", fs, "readFileSync", nothing],
])("%s is told", (name, object, key, value) => {
  const changed = watchGlobals();
  change(object, key, value);
  const found = changed();
  restore();
  expect(found).toContain(name);
});

test("an addition to every object is reported, and does not break the watch", () => {
  const changed = watchGlobals();
  change(Object.prototype, "polluted", true);
  change(Array.prototype, "map", nothing);
  const found = changed();
  restore();
  expect(found).toEqual(
    expect.arrayContaining(["Object.prototype.polluted", "Array.prototype.map"]),
  );
});

test("so is what is gone", () => {
  const changed = watchGlobals();
  const { structuredClone: before } = globalThis;
  Reflect.deleteProperty(globalThis, "structuredClone");
  const found = changed();
  Object.defineProperty(globalThis, "structuredClone", {
    value: before,
    configurable: true,
    writable: true,
    enumerable: true,
  });
  expect(found).toEqual(["structuredClone"]);
});

test("so is the environment", () => {
  const changed = watchGlobals();
  process.env.SWF_ALARMS_TEST_ENTRY = "1";
  const found = changed();
  delete process.env.SWF_ALARMS_TEST_ENTRY;
  expect(found).toEqual(["process.env or the working folder"]);
  expect(changed()).toEqual([]);
});

test("what libraries leave on Error is not a change", () => {
  const changed = watchGlobals();
  change(Error, "stackTraceLimit", 3);
  change(Error, "prepareStackTrace", nothing);
  const found = changed();
  restore();
  expect(found).toEqual([]);
});
