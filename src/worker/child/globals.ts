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
interface Watched {
  /** That leads to it, such as `Array.prototype.`. */
  readonly path: string;
  readonly object: object;
  readonly before: Properties;
  readonly count: number;
}

/**
 * Remembers the globals as they are. The function that it gives says which of them have changed since:
 * another module in this process would meet them so. It relies on none of the methods that it watches.
 */
export function watchGlobals(): () => readonly string[] {
  const all: Watched[] = [];
  watch(all, "", globalThis);
  for (let at = 0; at < SHARED.length; at++) add(all, SHARED[at] ?? "", globalThis);
  for (const name in MODULES) add(all, name, MODULES);
  const surroundings = stringify([process.env, process.cwd()]);
  return () => {
    const changed: string[] = [];
    for (let at = 0; at < all.length; at++) differences(all[at], changed);
    if (stringify([process.env, process.cwd()]) !== surroundings)
      changed[changed.length] = "process.env or the working folder";
    return changed;
  };
}

function add(all: Watched[], name: string, holder: object): void {
  const value: unknown = get(holder, name);
  if (!isObject(value)) return;
  watch(all, `${name}.`, value);
  const prototype: unknown = get(value, "prototype");
  if (isObject(prototype)) watch(all, `${name}.prototype.`, prototype);
}

function watch(all: Watched[], path: string, object: object): void {
  const before: { [key: PropertyKey]: PropertyDescriptor } = create(null);
  const keys = ownKeys(object);
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? "";
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) before[key] = descriptor;
  }
  all[all.length] = { path, object, before, count: keys.length };
}

/** Runs after every job over thousands of properties, so it makes nothing where nothing has changed. */
function differences(watched: Watched | undefined, changed: string[]): void {
  if (watched === undefined) return;
  const { path, object, before, count } = watched;
  const note = (key: PropertyKey): void => {
    if (!isPassing(path, key)) changed[changed.length] = `${path}${toText(key)}`;
  };
  const keys = ownKeys(object);
  let still = 0;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] ?? "";
    const was = before[key];
    if (was !== undefined) still += 1;
    if (!isSame(was, getOwnPropertyDescriptor(object, key))) note(key);
  }
  if (still === count) return;
  const all = ownKeys(before);
  for (let at = 0; at < all.length; at++) {
    const key = all[at] ?? "";
    if (getOwnPropertyDescriptor(object, key) === undefined) note(key);
  }
}

/** What Node itself changes as it runs, at a first worker too, and libraries that read their own traces. */
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
