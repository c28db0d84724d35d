import { counted, endsWith, numberFault, repeatedReason } from "./list_end.ts";
import type { PagingOptions, PagingStyle } from "./paging_style.ts";

/**
 * Offset and limit; the limit is up to the module's query. The list ends with an empty page, unless an option names
 * where the service says so.
 */
export interface OffsetPaging
  extends Pick<PagingOptions, "list" | "id" | "param" | "total" | "more"> {
  readonly style: "offset";
}

const PARAM = "offset";

export const OFFSET_STYLE: PagingStyle = {
  form: '{ style: "offset", list?: "…", id?: "id", param?: "offset", total?: "…", more?: "…" }',
  options: ["list", "id", "param", "total", "more"],
  mayShift: true,
  queryFault: (query, { param = PARAM }) => numberFault(query, param),
  firstQuery: (query, { param = PARAM }) => ({ ...query, [param]: query[param] ?? 0 }),
  readPage: (response, { query, options, items }) => {
    const { param = PARAM } = options;
    const offset = Number(query[param]);
    // By what came, not by the limit: a service may have a lower one, and items would be skipped.
    const end = offset + items.length;
    const isLast = endsWith(response, { items: items.length, end }, options);
    return {
      next: isLast ? undefined : { ...query, [param]: end },
      count: counted(response, options),
      hasEarlier: offset > 0,
      repeatedReason: repeatedReason(param, "total or more"),
    };
  },
};
