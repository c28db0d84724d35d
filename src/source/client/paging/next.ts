import { isJsonObject } from "../../../text/json.ts";
import { BodyError } from "../../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import { followOwnLink } from "./next_link.ts";
import { countAt } from "./page_items.ts";
import type { PagingOptions, PagingStyle } from "./paging_style.ts";

/** Django REST: `{ count, next, previous, results }`, continued with the query of `next`. */
export interface NextPaging extends Pick<PagingOptions, "list" | "id"> {
  readonly style: "next";
}

export const NEXT_STYLE: PagingStyle = {
  form: '{ style: "next", list?: "results", id?: "id" }',
  options: ["list", "id"],
  list: "results",
  mayShift: true,
  readPage: (response, { path, query }) => {
    const { next, previous } = isJsonObject(response.value) ? response.value : {};
    if (next === undefined) throw new BodyError(`next is missing; ${fittingCall(response)}`);
    return {
      next: next === null ? undefined : followOwnLink(next, "next", query, path),
      count: countAt(response.value, "count"),
      hasEarlier: typeof previous === "string",
    };
  },
};
