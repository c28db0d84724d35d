import events from "node:events";
import fs from "node:fs";
import path from "node:path";
import timers from "node:timers";
import util from "node:util";

/** Objects that every module shares with those that run after it. */
const SHARED = [
  "Object Function Array String Number Boolean Symbol BigInt Date RegExp Promise Proxy Map Set",
  "WeakMap WeakSet WeakRef ArrayBuffer Uint8Array Error TypeError RangeError SyntaxError AggregateError",
  "JSON Math Reflect Intl Atomics URL URLSearchParams Buffer AbortController AbortSignal Event",
  "EventTarget TextEncoder TextDecoder process console performance",
]
  .join(" ")
  .split(" ");

/** Node's modules that other modules and this process rely on. */
const MODULES = {
  "node:events": events,
  "node:fs": fs,
  "node:path": path,
  "node:timers": timers,
  "node:util": util,
};

// A module may replace these, and the methods of lists: loops here count.
const { getOwnPropertyDescriptor, hasOwn, is } = Object;
const { get, ownKeys } = Reflect;
const { stringify } = JSON;
const toText = String;

interface Watched {
  /** Prefix of its properties, such as `Array.prototype.`. */
  readonly prefix: string;
  readonly object: object;
  readonly before: { readonly [key: PropertyKey]: PropertyDescriptor };
}

/** Remembers the globals as they are. The function that it returns lists those that have changed since. */
export function watchGlobals(): () => string[] {
  const all: Watched[] = [];
  const watch = (prefix: string, object: unknown): void => {
    if (!isObject(object)) return;
    const before: Watched["before"] = Object.getOwnPropertyDescriptors(object);
    Object.setPrototypeOf(before, null);
    all.push({ prefix, object, before });
  };
  watch("", globalThis);
  const shared = SHARED.map((name): [string, unknown] => [name, get(globalThis, name)]);
  for (const [name, value] of [...shared, ...Object.entries(MODULES)]) {
    watch(`${name}.`, value);
    if (isObject(value)) watch(`${name}.prototype.`, get(value, "prototype"));
  }
  const surroundings = stringify([process.env, process.cwd()]);
  return () => {
    const changed: string[] = [];
    for (let at = 0; at < all.length; at++) addChanges(all[at], changed);
    if (stringify([process.env, process.cwd()]) !== surroundings)
      changed[changed.length] = "process.env or the working folder";
    return changed;
  };
}

function addChanges(watched: Watched | undefined, changed: string[]): void {
  if (watched === undefined) return;
  const { prefix, object, before } = watched;
  const compare = (key: PropertyKey): void => {
    const isSame = areSame(before[key], getOwnPropertyDescriptor(object, key));
    if (!isSame && !isVolatile(prefix, key)) changed[changed.length] = `${prefix}${toText(key)}`;
  };
  const keys = ownKeys(object);
  const old = ownKeys(before);
  for (let at = 0; at < keys.length; at++) compare(keys[at] ?? "");
  for (let at = 0; at < old.length; at++)
    if (!hasOwn(object, old[at] ?? "")) compare(old[at] ?? "");
}

/** What Node and libraries change themselves. */
function isVolatile(prefix: string, key: PropertyKey): boolean {
  // Node 22 and later note there which dispatcher their fetch uses, when they first make it.
  if (prefix === "") return typeof key === "symbol";
  if (prefix === "process.") return key === "chdir" || toText(key)[0] === "_";
  return prefix === "Error." && (key === "prepareStackTrace" || key === "stackTraceLimit");
}

function areSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  // Node makes some of its globals at their first use, and then puts the value in the getter's place.
  if (a.get !== undefined && b.get === undefined) return true;
  return is(a.value, b.value) && a.get === b.get && a.set === b.set;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
