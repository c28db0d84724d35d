import { cut, quote, showName } from "../../../text/describe.ts";
import { isJsonObject, type JsonObject } from "../../../text/json.ts";
import { BodyError } from "../../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import type { PageResponse, ServiceCount } from "./paging_style.ts";

/** The list under this key, or the response itself without one. Throws BodyError for a page that has no list. */
export function itemsOf<T>(
  response: PageResponse,
  key: string | undefined,
): readonly (T & JsonObject)[] {
  const { value } = response;
  const items = key === undefined ? value : valueAt(value, key);
  if (Array.isArray(items)) return checkItems<T>(items, key ?? "the response");
  const isObject = isJsonObject(value);
  if (isObject && key !== undefined && items !== undefined)
    throw new BodyError(`${key} is ${kindOf(items)}, not a list`);
  const keys = isObject ? ` (it has: ${keysOf(value)})` : "";
  const wanted = key === undefined ? "a list" : `an object with the list ${quote(key)}`;
  const fault =
    isObject && key !== undefined
      ? `has no list ${quote(key)}`
      : `is ${kindOf(value)}, not ${wanted}`;
  const which = key === undefined ? "its list" : "it";
  const advice = isObject ? `name ${which} with list:, or use client.get` : "use client.get";
  throw new BodyError(`the response ${fault}${keys}; ${fittingCall(response, advice)}`);
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
