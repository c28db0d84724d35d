import { isJsonObject } from "../../../text/json.ts";
import { BodyError } from "../../fetch_error.ts";
import { fittingCall } from "./fitting_call.ts";
import { followLink } from "./next_link.ts";
import { countAt, kindOf } from "./page_items.ts";
import type { PagingStyle } from "./paging_style.ts";

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
  mayShift: false,
  readPage: (response, { query }) => {
    const { links } = isJsonObject(response.value) ? response.value : {};
    if (!isJsonObject(links)) {
      const fault = `links is ${kindOf(links)}, not an object with next`;
      throw new BodyError(`${fault}; ${fittingCall(response)}`);
    }
    return {
      next: links.next === null ? undefined : followLink(links.next, "links.next", query),
      count: countAt(response.value, "numRows"),
      idFields: undefined,
      hasEarlier: Number(query.start ?? 0) > 0,
    };
  },
};
