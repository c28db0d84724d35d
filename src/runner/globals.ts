/** Objects of the language and of Node that every module shares with what runs after it. */
const SHARED = [
  "Object Function Array String Number Boolean Symbol BigInt Date RegExp Promise Proxy Map Set",
  "WeakMap WeakSet WeakRef ArrayBuffer Uint8Array Error TypeError RangeError SyntaxError AggregateError",
  "JSON Math Reflect Intl Atomics URL URLSearchParams Buffer AbortController AbortSignal Event",
  "EventTarget TextEncoder TextDecoder process console performance",
]
  .join(" ")
  .split(" ");

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
    for (const name in before) differences(name, before[name] ?? {}, after[name] ?? {}, changed);
    if (stringify([process.env, process.cwd()]) !== surroundings)
      changed[changed.length] = "process.env or the working folder";
    return changed;
  };
}

function state(): State {
  const all: { [name: string]: Properties } = { "": properties(globalThis) };
  for (const name of SHARED) {
    const value: unknown = get(globalThis, name);
    if (!isObject(value)) continue;
    all[`${name}.`] = properties(value);
    const prototype: unknown = get(value, "prototype");
    if (isObject(prototype)) all[`${name}.prototype.`] = properties(prototype);
  }
  return all;
}

function properties(object: object): Properties {
  const found: { [key: PropertyKey]: PropertyDescriptor } = create(null);
  for (const key of ownKeys(object)) {
    const descriptor = getOwnPropertyDescriptor(object, key);
    if (descriptor !== undefined) found[key] = descriptor;
  }
  return found;
}

function differences(name: string, was: Properties, is: Properties, changed: string[]): void {
  const all: { [key: PropertyKey]: true } = create(null);
  for (const key of ownKeys(was)) all[key] = true;
  for (const key of ownKeys(is)) all[key] = true;
  for (const key of ownKeys(all)) {
    if (isPassing(name, key) || isSame(was[key], is[key])) continue;
    changed[changed.length] = `${name}${toText(key)}`;
  }
}

/** What Node changes as it runs, and compilers (ours too) to have readable stack traces. */
function isPassing(name: string, key: PropertyKey): boolean {
  if (name === "Error.") return key === "prepareStackTrace" || key === "stackTraceLimit";
  return name === "process." && toText(key)[0] === "_";
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
