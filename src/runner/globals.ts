import events from "node:events";
import fs from "node:fs";
import path from "node:path";
import timers from "node:timers";
import util from "node:util";

/** Objects of the language and of Node that every module shares with what runs after it. */
const SHARED = [
  "Object Function Array String Number Boolean Symbol BigInt Date RegExp Promise Proxy Map Set",
  "WeakMap WeakSet WeakRef ArrayBuffer Uint8Array Error TypeError RangeError SyntaxError AggregateError",
  "JSON Math Reflect Intl Atomics URL URLSearchParams Buffer AbortController AbortSignal Event",
  "EventTarget TextEncoder TextDecoder process console performance",
]
  .join(" ")
  .split(" ");

/** Modules of Node that other modules, and this process itself, rely on. */
const MODULES = {
  "node:events": events,
  "node:fs": fs,
  "node:path": path,
  "node:timers": timers,
  "node:util": util,
};

const { create, getOwnPropertyDescriptor, is } = Object;
const { get, ownKeys } = Reflect;
const { stringify } = JSON;
const toText = String;

interface Properties {
  readonly [key: PropertyKey]: PropertyDescriptor;
}
/** By the path that leads to them, such as `Array.prototype.`. */
interface State {
  readonly [path: string]: Properties;
}

/**
 * Remembers the globals as they are. The function that it gives says which of them have changed since:
 * another module in this process would meet them so. It relies on none of the methods that it watches.
 */
export function watchGlobals(): () => readonly string[] {
  const before = state();
  const surroundings = stringify([process.env, process.cwd()]);
  return () => {
    const changed: string[] = [];
    const after = state();
    for (const name in before)
      differences(name, before[name] ?? NONE, after[name] ?? NONE, changed);
    if (stringify([process.env, process.cwd()]) !== surroundings)
      changed[changed.length] = "process.env or the working folder";
    return changed;
  };
}

const NONE: Properties = create(null);

function state(): State {
  const all: { [name: string]: Properties } = create(null);
  all[""] = properties(globalThis);
  for (let at = 0; at < SHARED.length; at++) add(all, SHARED[at] ?? "", globalThis);
  for (const name in MODULES) add(all, name, MODULES);
  return all;
}

function add(all: { [name: string]: Properties }, name: string, holder: object): void {
  const value: unknown = get(holder, name);
  if (!isObject(value)) return;
  all[`${name}.`] = properties(value);
  const prototype: unknown = get(value, "prototype");
  if (isObject(prototype)) all[`${name}.prototype.`] = properties(prototype);
}

function properties(object: object): Properties {
  const found: { [key: PropertyKey]: PropertyDescriptor } = create(null);
  const keys = ownKeys(object);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? "";
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) found[key] = descriptor;
  }
  return found;
}

function differences(name: string, was: Properties, is: Properties, changed: string[]): void {
  const keys = ownKeys({ __proto__: null, ...was, ...is });
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? "";
    if (isPassing(name, key) || isSame(was[key], is[key])) continue;
    changed[changed.length] = `${name}${toText(key)}`;
  }
}

/** What Node itself changes as it runs, at a first worker too, and the compiler of modules, which shortens its own traces. */
function isPassing(name: string, key: PropertyKey): boolean {
  // Node 22 and later note there which dispatcher their fetch uses, when they first make it.
  if (name === "") return typeof key === "symbol";
  if (name === "process.") return key === "chdir" || toText(key)[0] === "_";
  return name === "Error." && (key === "prepareStackTrace" || key === "stackTraceLimit");
}

function isSame(a: PropertyDescriptor | undefined, b: PropertyDescriptor | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  // Node makes some of its globals at their first use, and then puts the value in the getter's place.
  if (a.get !== undefined && b.get === undefined) return true;
  return is(a.value, b.value) && a.get === b.get && a.set === b.set;
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
