import { quote, showName } from "../../text/describe.ts";
import type { JsonObject } from "../../text/json.ts";
import type { Query } from "../query.ts";
import { KEYSET_STYLE, type KeysetPaging } from "./paging/keyset.ts";
import { LINK_STYLE, type LinkPaging } from "./paging/link.ts";
import { LINKS_NEXT_STYLE, type LinksNextPaging } from "./paging/links_next.ts";
import { NEXT_STYLE, type NextPaging } from "./paging/next.ts";
import { OFFSET_STYLE, type OffsetPaging } from "./paging/offset.ts";
import { PAGE_STYLE, type PagePaging } from "./paging/page.ts";
import { itemsOf } from "./paging/page_items.ts";
import type {
  AskedPage,
  Page,
  PageResponse,
  PagingOptions,
  PagingStyle,
} from "./paging/paging_style.ts";

/** How a list is divided into pages. A key may be a path such as `page.total`. */
export type Paging =
  | KeysetPaging
  | LinksNextPaging
  | PagePaging
  | OffsetPaging
  | LinkPaging
  | NextPaging;

const STYLES: { readonly [style in Paging["style"]]: PagingStyle } = {
  keyset: KEYSET_STYLE,
  "links.next": LINKS_NEXT_STYLE,
  page: PAGE_STYLE,
  offset: OFFSET_STYLE,
  link: LINK_STYLE,
  next: NEXT_STYLE,
};

export const KEYSET: Paging = { style: "keyset" };

/**
 * What is wrong with the arguments of a request: a module's types prove nothing at run time. The contents of
 * URLSearchParams or a Map are not properties.
 */
export function requestFault(path: string | undefined, query: Query, paging: Paging = KEYSET) {
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
  return pagingFault(paging) ?? STYLES[paging.style].queryFault?.(query, paging);
}

function pagingFault(paging: Paging): string | undefined {
  const { style, ...options } = Object(paging);
  const known = Object.entries(STYLES).find(([name]) => name === style)?.[1];
  if (known === undefined) {
    const forms = Object.values(STYLES).map(({ form }) => form.replace(/, \w+\?.*(?= })/, ""));
    return `the paging is ${quote(paging)}; write ${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}`;
  }
  const isFit = ([name, value]: [string, unknown]): boolean =>
    known.options.some((option) => option === name) &&
    (value === undefined ||
      (name === "first" ? Number.isSafeInteger(value) : typeof value === "string"));
  const given = Object.entries(options);
  const isWhole = (known.required ?? []).every((name) => options[name] !== undefined);
  if (given.every(isFit) && isWhole) return undefined;
  return `the paging is ${quote(paging)}; write ${known.form}`;
}

export function firstQuery(query: Query, paging: Paging): Query {
  return STYLES[paging.style].firstQuery?.(query, paging) ?? query;
}

/** One page of a list. Throws BodyError for one that has no list, and see `PagingStyle.readPage`. */
export function parsePage<T = JsonObject>(
  response: PageResponse,
  paging: Paging,
  asked: Omit<AskedPage, "options" | "items">,
): Page<T & JsonObject> {
  const style = STYLES[paging.style];
  const options: PagingOptions = paging;
  const items = itemsOf<T>(response, options.list ?? style.list);
  const facts = style.readPage(response, { ...asked, options, items });
  return { items, mayShift: style.mayShift, idFields: [options.id ?? "id"], ...facts };
}
