import { cut, quote, showName } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";
import { BodyError } from "./fetch_error.ts";
import type { Query } from "./query.ts";

/** How a list is divided into pages. */
export type Paging =
  /** PanDA: `{ items, has_more, next_before_id }`, continued with `before_id`; ids must decrease. */
  | { readonly style: "keyset"; readonly list?: string }
  /** GraceDB: `{ <list>, links: { next } }`, continued with the query of `links.next`. */
  | { readonly style: "links.next"; readonly list: string };

export const KEYSET: Paging = { style: "keyset" };

/**
 * What is wrong with the arguments of a request: a module's types prove nothing at run time. The contents of
 * URLSearchParams or a Map are not properties.
 */
export function requestFault(path: string, query: Query, paging: Paging = KEYSET) {
  if (typeof path !== "string") return `the path is ${quote(path)}, not a string`;
  if (/^https?:\/\//i.test(path))
    return `the path is the address ${quote(path)}; write the path alone, and client.source(name).get for the service of [sources.<name>]`;
  if (Object.prototype.toString.call(query) !== "[object Object]")
    return `the query is ${quote(query)}, not an object such as { days: 1 }`;
  const isPlain = (value: unknown): boolean =>
    ["string", "boolean", "bigint"].includes(typeof value) ||
    Number.isFinite(value) ||
    value === undefined ||
    value === null;
  for (const [name, value] of Object.entries(query))
    if (!isPlain(value))
      return `${showName(name)} in the query is ${quote(value)}, not a string, number or boolean`;
  const { style, list = style === "keyset" ? "items" : undefined, ...rest } = Object(paging);
  const isKnown = style === "keyset" || style === "links.next";
  if (isKnown && typeof list === "string" && Object.keys(rest).length === 0) return undefined;
  return `the paging is ${quote(paging)}; write { style: "keyset" } or { style: "links.next", list: "…" }`;
}

/** The proxy's maximum. */
const PAGE_SIZE = 200;

export type Page = ReturnType<typeof parsePage>;

/** The query of the first page, with a page size unless the module set one. PanDA ignores a `before_id` of 0. */
export function firstQuery(query: Query, paging: Paging): Query {
  if (paging.style !== "keyset") return query;
  return { ...query, limit: query.limit ?? PAGE_SIZE, before_id: query.before_id || undefined };
}

/**
 * Throws BodyError for a page that has no list, does not say how the list continues, or is in another order:
 * what it leaves out would look gone. `idFields` are those of the page before.
 */
export function parsePage(
  response: JsonValue,
  query: Query,
  paging: Paging,
  idFields?: readonly string[],
) {
  const key = paging.list ?? "items";
  if (!isJsonObject(response))
    throw new BodyError(
      `the response is ${kind(response)}, not an object with the list ${quote(key)}; use client.get`,
    );
  const items = itemsOf(response, key);
  const isKeyset = paging.style === "keyset";
  const next = isKeyset ? nextKeyset(response, query) : nextLink(response, query);
  const count = Number((isKeyset ? response.total_count : response.numRows) ?? Number.NaN);
  return {
    items,
    /** The query of the next page; undefined at the end of the list. */
    next,
    /** Items of the whole list, as far as the service says. */
    count: Number.isSafeInteger(count) ? count : undefined,
    /** Fields that may be the id of a keyset list; undefined until a page shows them. */
    idFields: isKeyset ? findIdFields(items, query, next?.before_id, idFields) : undefined,
  };
}

function itemsOf(response: JsonObject, key: string): readonly JsonObject[] {
  const items = response[key];
  if (items === undefined) {
    const keys = Object.keys(response).map(showName).join(", ") || "no keys";
    throw new BodyError(
      `the response has no list ${quote(key)} (it has: ${cut(keys, 50)}); name it with list:, or use client.get`,
    );
  }
  if (!Array.isArray(items)) throw new BodyError(`${key} is ${kind(items)}, not a list`);
  return items.map((item, index) => {
    if (!isJsonObject(item))
      throw new BodyError(`${key}[${index}] is ${kind(item)}, not an object`);
    return item;
  });
}

function nextKeyset(response: JsonObject, query: Query): Query | undefined {
  const { has_more: more, next_before_id: cursor } = response;
  if (more === false || (more === undefined && cursor === null)) return undefined;
  if (more !== true && more !== undefined)
    throw new BodyError(`has_more is ${kind(more)}, not true or false`);
  const id = idOf(cursor);
  if (id === undefined)
    throw new BodyError(`next_before_id is ${kind(cursor)} although the list has not ended`);
  const before = idOf(query.before_id);
  if (before !== undefined && id >= before)
    throw new BodyError(`next_before_id is ${id} after before_id ${before}; it must decrease`);
  return { ...query, before_id: typeof id === "number" ? id : String(id) };
}

/** An integer, also one that is a string of its digits because JavaScript would round it. */
function idOf(value: unknown): number | bigint | undefined {
  if (typeof value === "string" && /^-?\d{16,}$/.test(value)) return BigInt(value);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/**
 * `before_id` skips items unless ids strictly decrease, within a page and from page to page. The id is the field
 * whose last value is the cursor. Several may match: a task's `reqid` is often its `jeditaskid`.
 */
function findIdFields(
  items: readonly JsonObject[],
  query: Query,
  cursor: Query[string],
  known: readonly string[] | undefined,
): readonly string[] | undefined {
  const last = items.at(-1);
  if (last === undefined || (known === undefined && cursor === undefined)) return known;
  const fields = known ?? Object.keys(last).filter((name) => last[name] === cursor);
  const faults = fields.map((name) => orderFault(items, name, query, cursor));
  const inOrder = fields.filter((_, index) => faults[index] === undefined);
  if (inOrder.length > 0) return inOrder;
  throw new BodyError(faults[0] ?? `no field of the last item is ${cursor}, the next_before_id`);
}

function orderFault(
  items: readonly JsonObject[],
  name: string,
  query: Query,
  cursor: Query[string],
): string | undefined {
  let bound = idOf(query.before_id) ?? Number(query.before_id ?? Number.POSITIVE_INFINITY);
  for (const [index, { [name]: value }] of items.entries()) {
    const id = idOf(value);
    if (id === undefined || id >= bound)
      return `${showName(name)} of item ${index + 1} is ${kind(value)}; ids must decrease, so it must be an integer below ${bound}`;
    bound = id;
  }
  if (cursor === undefined || String(cursor) === String(bound)) return undefined;
  return `next_before_id is ${cursor}, but the last ${showName(name)} is ${bound}`;
}

/** Only the query of the link is used, so that no response can send the engine and its token to another host. */
function nextLink(response: JsonObject, query: Query): Query | undefined {
  const { links } = response;
  if (!isJsonObject(links)) throw new BodyError(`links is ${kind(links)}, not an object with next`);
  const { next } = links;
  if (next === null) return undefined;
  if (typeof next !== "string" || !URL.canParse(next, "http://relative.invalid"))
    throw new BodyError(`links.next is ${kind(next)}, not a link or null`);
  const { searchParams } = new URL(next, "http://relative.invalid");
  return { ...query, ...Object.fromEntries(searchParams) };
}

function kind(value: unknown): string {
  if (value === undefined) return "missing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  return cut(quote(value), 41);
}
