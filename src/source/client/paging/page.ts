import { counted, endsWith, numberFault, repeatedReason } from "./list_end.ts";
import type { PagingOptions, PagingStyle } from "./paging_style.ts";

/** Numbered pages. The list ends with an empty page, unless an option names where the service says so. */
export interface PagePaging extends PagingOptions {
  readonly style: "page";
}

const PARAM = "page";
const FIRST = 1;

export const PAGE_STYLE: PagingStyle = {
  form: '{ style: "page", list?: "…", id?: "id", param?: "page", first?: 1, total?: "…", pages?: "…", more?: "…" }',
  options: ["list", "id", "param", "first", "total", "pages", "more"],
  mayShift: true,
  queryFault: (query, { param = PARAM }) => numberFault(query, param),
  firstQuery: (query, { param = PARAM, first = FIRST }) => ({
    ...query,
    [param]: query[param] ?? first,
  }),
  readPage: (response, { query, options, items, received }) => {
    const { param = PARAM, first = FIRST } = options;
    const number = Number(query[param]);
    const place = { items: items.length, end: received + items.length, pages: number - first + 1 };
    return {
      next: endsWith(response, place, options) ? undefined : { ...query, [param]: number + 1 },
      count: counted(response, options),
      hasEarlier: number > first,
      repeatedReason: repeatedReason(param, "total, pages or more"),
    };
  },
};
