import type { JsonObject } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { callForBody } from "./fitting_call.ts";
import { findLink } from "./link_header.ts";
import { counted } from "./list_end.ts";
import { followOwnLink } from "./next_link.ts";
import { itemsOf } from "./page_items.ts";
import {
  type AskedPage,
  ITEM_ID,
  type Page,
  type PageResponse,
  type PagingStyle,
} from "./paging_style.ts";

/** RFC 8288: continued with the query of the link with `rel="next"` in the header `Link`. */
export interface LinkPaging {
  readonly style: "link";
  /** The key of the list; without it, the response itself is the list. */
  readonly list?: string;
  /** The key of an item's id; else `id`. */
  readonly id?: string;
  /** The key of the number of all items. */
  readonly total?: string;
}

export const LINK_STYLE: PagingStyle = {
  form: '{ style: "link", list?: "…", id?: "id", total?: "…" }',
  options: ["list", "id", "total"],
  firstQuery: (query) => query,
  parse<T>(response: PageResponse, { path, query, options }: AskedPage): Page<T & JsonObject> {
    const items = itemsOf<T>(response, options.list);
    const { link } = response.headers;
    const next = findLink(link, "next");
    // Services send no Link for a list of one page; one that continues in another way does not either.
    const other = next === undefined ? callForBody(response.value) : undefined;
    if (other !== undefined)
      throw new BodyError(`the response has no Link header with rel="next"; ${other}`);
    return {
      items,
      next: next === undefined ? undefined : followOwnLink(next, 'Link rel="next"', query, path),
      count: counted(response, options),
      idFields: [options.id ?? ITEM_ID],
      mayShift: true,
      hasEarlier: (findLink(link, "prev") ?? findLink(link, "previous")) !== undefined,
    };
  },
};
