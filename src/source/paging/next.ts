import { isJsonObject, type JsonObject } from "../../text/json.ts";
import { BodyError } from "../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import { followOwnLink } from "./next_link.ts";
import { countAt, itemsOf } from "./page_items.ts";
import {
  type AskedPage,
  ITEM_ID,
  type Page,
  type PageResponse,
  type PagingStyle,
} from "./paging_style.ts";

/** Django REST: `{ count, next, previous, results }`, continued with the query of `next`. */
export interface NextPaging {
  readonly style: "next";
  /** The key of the list; else `results`. */
  readonly list?: string;
  /** The key of an item's id; else `id`. */
  readonly id?: string;
}

export const NEXT_STYLE: PagingStyle = {
  form: '{ style: "next", list?: "results", id?: "id" }',
  options: ["list", "id"],
  firstQuery: (query) => query,
  parse<T>(response: PageResponse, { path, query, options }: AskedPage): Page<T & JsonObject> {
    const { list = "results", id = ITEM_ID } = options;
    const items = itemsOf<T>(response, list);
    const { next, previous } = isJsonObject(response.value) ? response.value : {};
    if (next === undefined) {
      const remedy = fittingCall(response) ?? "use client.get if it does not page";
      throw new BodyError(`next is missing; ${remedy}`);
    }
    return {
      items,
      next: next === null ? undefined : followOwnLink(next, "next", query, path),
      count: countAt(response.value, "count"),
      idFields: [id],
      mayShift: true,
      hasEarlier: typeof previous === "string",
    };
  },
};
