import { cut, quote, showName } from "../../text/describe.ts";
import { isJsonObject, type JsonObject } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import type { PageResponse, ServiceCount } from "./paging_style.ts";

/** The list under this key, or the response itself without one. */
export function itemsOf<T>(
  response: PageResponse,
  key: string | undefined,
): readonly (T & JsonObject)[] {
  const { value } = response;
  if (key === undefined) {
    if (Array.isArray(value)) return checkItems<T>(value, "the response");
    const [keys, otherwise] = isJsonObject(value)
      ? [` (it has: ${keysOf(value)})`, "name its list with list:, or use client.get"]
      : ["", "use client.get"];
    const remedy = fittingCall(response) ?? otherwise;
    throw new BodyError(`the response is ${kindOf(value)}, not a list${keys}; ${remedy}`);
  }
  if (!isJsonObject(value)) {
    const remedy = fittingCall(response) ?? "use client.get";
    throw new BodyError(
      `the response is ${kindOf(value)}, not an object with the list ${quote(key)}; ${remedy}`,
    );
  }
  const items = valueAt(value, key);
  if (items === undefined) {
    const remedy = fittingCall(response) ?? "name it with list:, or use client.get";
    throw new BodyError(
      `the response has no list ${quote(key)} (it has: ${keysOf(value)}); ${remedy}`,
    );
  }
  if (!Array.isArray(items)) throw new BodyError(`${key} is ${kindOf(items)}, not a list`);
  return checkItems<T>(items, key);
}

function checkItems<T>(
  items: readonly (T & JsonObject)[],
  name: string,
): readonly (T & JsonObject)[] {
  for (const [index, item] of items.entries())
    if (!isJsonObject(item))
      throw new BodyError(`${name}[${index}] is ${kindOf(item)}, not an object`);
  return items;
}

function keysOf(value: JsonObject): string {
  return cut(Object.keys(value).map(showName).join(", ") || "no keys", 50);
}

/** The value under a key, or under a path of keys such as `page.total`. */
export function valueAt(value: unknown, key: string): unknown {
  if (!isJsonObject(value)) return undefined;
  if (Object.hasOwn(value, key)) return value[key];
  return key.split(".").reduce<unknown>((part, name) => {
    return isJsonObject(part) && Object.hasOwn(part, name) ? part[name] : undefined;
  }, value);
}

/** The count under the first of these keys that has one. */
export function countAt(value: unknown, ...keys: readonly string[]): ServiceCount | undefined {
  for (const key of keys) {
    const found = valueAt(value, key);
    const items = typeof found === "string" && found !== "" ? Number(found) : found;
    if (typeof items === "number" && Number.isSafeInteger(items)) return { items, key };
  }
  return undefined;
}

export function kindOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return cut(quote(value), 41);
}
