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

/**
 * Offset and limit; the limit is up to the module's query. The list ends with an empty page, unless an option names
 * where the service says so.
 */
export interface OffsetPaging {
  readonly style: "offset";
  /** The key of the list; without it, the response itself is the list. */
  readonly list?: string;
  /** The key of an item's id; else `id`. */
  readonly id?: string;
  /** The query parameter with the number of items to skip; else `offset`. */
  readonly param?: string;
  /** The key of the number of all items. */
  readonly total?: string;
  /** The key that is true while there are further pages. */
  readonly more?: string;
}

const PARAM = "offset";

export const OFFSET_STYLE: PagingStyle = {
  form: '{ style: "offset", list?: "…", id?: "id", param?: "offset", total?: "…", more?: "…" }',
  options: ["list", "id", "param", "total", "more"],
  queryFault: (query, { param = PARAM }) => numberFault(query, param),
  firstQuery: (query, { param = PARAM }) => ({ ...query, [param]: query[param] ?? 0 }),
  parse<T>(response: PageResponse, { query, options }: AskedPage): Page<T & JsonObject> {
    const { list, id = ITEM_ID, param = PARAM } = options;
    const items = itemsOf<T>(response, list);
    const offset = Number(query[param]);
    // By what came, not by the limit: a service may have a lower one, and items would be skipped.
    const end = offset + items.length;
    const isLast = endsWith(response, { items: items.length, end }, options);
    return {
      items,
      next: isLast ? undefined : { ...query, [param]: end },
      count: counted(response, options),
      idFields: [id],
      mayShift: true,
      hasEarlier: offset > 0,
      repeatedReason: `${REPEATED}; check that ?${param} is its parameter, name what says that a page is the last one (total or more), or use client.get if it does not page`,
    };
  },
};
