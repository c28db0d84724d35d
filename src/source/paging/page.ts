import type { JsonObject } from "../../text/json.ts";
import { counted, endsWith, numberFault, REPEATED } from "./list_end.ts";
import { itemsOf } from "./page_items.ts";
import {
  type AskedPage,
  ITEM_ID,
  type Page,
  type PageResponse,
  type PagingStyle,
} from "./paging_style.ts";

/** Numbered pages. The list ends with an empty page, unless an option names where the service says so. */
export interface PagePaging {
  readonly style: "page";
  /** The key of the list; without it, the response itself is the list. */
  readonly list?: string;
  /** The key of an item's id; else `id`. */
  readonly id?: string;
  /** The query parameter with the number of the page; else `page`. */
  readonly param?: string;
  /** The number of the first page; else 1. */
  readonly first?: number;
  /** The key of the number of all items. */
  readonly total?: string;
  /** The key of the number of pages. */
  readonly pages?: string;
  /** The key that is true while there are further pages. */
  readonly more?: string;
}

const PARAM = "page";
const FIRST = 1;

export const PAGE_STYLE: PagingStyle = {
  form: '{ style: "page", list?: "…", id?: "id", param?: "page", first?: 1, total?: "…", pages?: "…", more?: "…" }',
  options: ["list", "id", "param", "first", "total", "pages", "more"],
  queryFault: (query, { param = PARAM }) => numberFault(query, param),
  firstQuery: (query, { param = PARAM, first = FIRST }) => ({
    ...query,
    [param]: query[param] ?? first,
  }),
  parse<T>(response: PageResponse, { query, options, received }: AskedPage): Page<T & JsonObject> {
    const { list, id = ITEM_ID, param = PARAM, first = FIRST } = options;
    const items = itemsOf<T>(response, list);
    const number = Number(query[param]);
    const place = { items: items.length, end: received + items.length, pages: number - first + 1 };
    return {
      items,
      next: endsWith(response, place, options) ? undefined : { ...query, [param]: number + 1 },
      count: counted(response, options),
      idFields: [id],
      mayShift: true,
      hasEarlier: number > first,
      repeatedReason: `${REPEATED}; check that ?${param} is its parameter, name what says that a page is the last one (total, pages or more), or use client.get if it does not page`,
    };
  },
};
