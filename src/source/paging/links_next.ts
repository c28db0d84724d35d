import { isJsonObject, type JsonObject } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import { followLink } from "./next_link.ts";
import { countAt, itemsOf, kindOf } from "./page_items.ts";
import type { AskedPage, Page, PageResponse, PagingStyle } from "./paging_style.ts";

/** GraceDB: `{ <list>, links: { next } }`, continued with the query of `links.next`. */
export interface LinksNextPaging {
  readonly style: "links.next";
  /** The key of the list. */
  readonly list: string;
}

export const LINKS_NEXT_STYLE: PagingStyle = {
  form: '{ style: "links.next", list: "…" }',
  options: ["list"],
  required: ["list"],
  firstQuery: (query) => query,
  parse<T>(response: PageResponse, { query, options }: AskedPage): Page<T & JsonObject> {
    const items = itemsOf<T>(response, options.list);
    const { links } = isJsonObject(response.value) ? response.value : {};
    if (!isJsonObject(links)) {
      const remedy = fittingCall(response) ?? "use client.get if it does not page";
      throw new BodyError(`links is ${kindOf(links)}, not an object with next; ${remedy}`);
    }
    return {
      items,
      next: links.next === null ? undefined : followLink(links.next, "links.next", query),
      count: countAt(response.value, "numRows"),
      idFields: undefined,
      mayShift: false,
      hasEarlier: Number(query.start ?? 0) > 0,
    };
  },
};
