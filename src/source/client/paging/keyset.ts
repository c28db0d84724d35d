import { showName } from "../../../text/describe.ts";
import { isJsonObject, type JsonObject } from "../../../text/json.ts";
import { BodyError } from "../../fetch_error.ts";
import type { Query } from "../../query.ts";
import { fittingCall } from "./fitting_call.ts";
import { countAt, kindOf } from "./page_items.ts";
import type { PageResponse, PagingOptions, PagingStyle } from "./paging_style.ts";

/** PanDA: `{ items, has_more, next_before_id }`, continued with `before_id`; ids must decrease. */
export interface KeysetPaging extends Pick<PagingOptions, "list"> {
  readonly style: "keyset";
}

/** The proxy's maximum. */
const PAGE_SIZE = 200;

export const KEYSET_STYLE: PagingStyle = {
  form: '{ style: "keyset", list?: "items" }',
  options: ["list"],
  list: "items",
  mayShift: false,
  // With a page size unless the module set one. PanDA ignores a `before_id` of 0.
  firstQuery: (query) => ({
    ...query,
    limit: query.limit ?? PAGE_SIZE,
    before_id: query.before_id || undefined,
  }),
  readPage: (response, { query, items, idFields }) => {
    const next = nextQuery(response, query);
    return {
      next,
      count: countAt(response.value, "total_count"),
      idFields: findIdFields(items, query, next?.before_id, idFields),
      hasEarlier: Number(query.before_id ?? 0) > 0,
    };
  },
};

function nextQuery(response: PageResponse, query: Query): Query | undefined {
  const { has_more: more, next_before_id: cursor } = isJsonObject(response.value)
    ? response.value
    : {};
  if (more === false || (more === undefined && cursor === null)) return undefined;
  if (more !== true && more !== undefined)
    throw new BodyError(`has_more is ${kindOf(more)}, not true or false`);
  const id = idOf(cursor);
  if (id === undefined) {
    const fault = `next_before_id is ${kindOf(cursor)} although the list has not ended`;
    if (more !== undefined || cursor !== undefined) throw new BodyError(fault);
    throw new BodyError(`${fault}; ${fittingCall(response)}`);
  }
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
      return `${showName(name)} of item ${index + 1} is ${kindOf(value)}; ids must decrease, so it must be an integer below ${bound}`;
    bound = id;
  }
  if (cursor === undefined || String(cursor) === String(bound)) return undefined;
  return `next_before_id is ${cursor}, but the last ${showName(name)} is ${bound}`;
}
