import { quote, showName } from "../../../text/describe.ts";
import { BodyError } from "../../fetch_error.ts";
import type { Query } from "../../query.ts";
import { callForBody } from "./fitting_call.ts";
import { countAt, kindOf, valueAt } from "./page_items.ts";
import type { PageResponse, PagingOptions, ServiceCount } from "./paging_style.ts";

/** Where in its list a page is. */
interface Place {
  /** Items on this page. */
  readonly items: number;
  /** Items of the list up to the end of this page. */
  readonly end: number;
  /** Pages of the list up to this one. */
  readonly pages?: number;
}

/**
 * Whether a page that is found by its place is the last one. Only what the module names says so, else an empty page: a
 * short one may be the service's own limit, and a `count` may be that of the page.
 */
export function endsWith(response: PageResponse, place: Place, options: PagingOptions): boolean {
  const { value } = response;
  const { more, pages, total } = options;
  if (more !== undefined) {
    const hasMore = valueAt(value, more);
    if (typeof hasMore === "boolean") return !hasMore;
    throw new BodyError(`${more} is ${kindOf(hasMore)}, not true or false`);
  }
  if (pages !== undefined) return (place.pages ?? 0) >= namedCount(value, pages).items;
  if (total !== undefined) return place.items === 0 || place.end >= namedCount(value, total).items;
  const other = callForBody(value);
  if (other !== undefined) throw new BodyError(`the response says how it continues; ${other}`);
  return place.items === 0;
}

/** Keys that services use; those of the whole list come first. */
const TOTALS = ["total_count", "total", "count"];

/** Items of the whole list: under the key that the module names, else where services say it. */
export function counted(
  { value, headers }: PageResponse,
  { total }: PagingOptions,
): ServiceCount | undefined {
  if (total !== undefined) return namedCount(value, total);
  return countAt({ "X-Total-Count": headers.total }, "X-Total-Count") ?? countAt(value, ...TOTALS);
}

function namedCount(value: unknown, key: string): ServiceCount {
  const count = countAt(value, key);
  if (count !== undefined) return count;
  throw new BodyError(`${key} is ${kindOf(valueAt(value, key))}, not a number`);
}

/** What is wrong with the page or offset at which the module itself begins. */
export function numberFault(query: Query, param: string): string | undefined {
  const value = query[param];
  if (value === undefined || value === null || /^\d{1,15}$/.test(String(value))) return undefined;
  return `${showName(param)} in the query is ${quote(value)}, not a number`;
}

/** Why a page with the items of the page before is an error; `keys` are the options that say which page is the last. */
export function repeatedReason(param: string, keys: string): string {
  return `the page has the same items as the page before, but is not the last one; check that ?${param} is its parameter, name what says that a page is the last one (${keys}), or use client.get if it does not page`;
}
