import { BodyError } from "../../fetch_error.ts";
import { callForBody } from "./fitting_call.ts";
import { findLink } from "./link_header.ts";
import { counted } from "./list_end.ts";
import { followOwnLink } from "./next_link.ts";
import type { PagingOptions, PagingStyle } from "./paging_style.ts";

/** RFC 8288: continued with the query of the link with `rel="next"` in the header `Link`. */
export interface LinkPaging extends Pick<PagingOptions, "list" | "id" | "total"> {
  readonly style: "link";
}

export const LINK_STYLE: PagingStyle = {
  form: '{ style: "link", list?: "…", id?: "id", total?: "…" }',
  options: ["list", "id", "total"],
  mayShift: true,
  readPage: (response, { path, query, options }) => {
    const { link } = response.headers;
    const next = findLink(link, "next");
    // Services send no Link for a list of one page; one that continues in another way does not either.
    const other = next === undefined ? callForBody(response.value) : undefined;
    if (other !== undefined)
      throw new BodyError(`the response has no Link header with rel="next"; ${other}`);
    return {
      next: next === undefined ? undefined : followOwnLink(next, 'Link rel="next"', query, path),
      count: counted(response, options),
      hasEarlier: (findLink(link, "prev") ?? findLink(link, "previous")) !== undefined,
    };
  },
};
