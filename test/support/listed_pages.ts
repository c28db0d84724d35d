import fc from "fast-check";
import type { Paging } from "../../src/source/paging.ts";
import type { Query } from "../../src/source/query.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** A list as a service answers it, page by page; some of its pages are bad. */
export interface ListedPages {
  readonly style: Paging["style"];
  readonly pages: readonly {
    readonly size: number;
    readonly kind: "good" | "fails" | "malformed";
  }[];
  /** The last page names the first one as the next; only of `links.next` and of two pages or more. */
  readonly leadsBack: boolean;
}

export const listedPages: fc.Arbitrary<ListedPages> = fc
  .record({
    style: fc.constantFrom<Paging["style"][]>("keyset", "links.next"),
    pages: fc.array(
      fc.record({
        size: fc.nat(3),
        kind: fc.oneof(
          { weight: 5, arbitrary: fc.constant("good" as const) },
          { weight: 1, arbitrary: fc.constantFrom("fails" as const, "malformed" as const) },
        ),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    leadsBack: fc.boolean(),
  })
  .map((list) => ({
    ...list,
    leadsBack: list.leadsBack && list.style === "links.next" && list.pages.length > 1,
  }));

/** What `client.pages` is given for it. */
export function questionFor({ style }: ListedPages): { query: Query & JsonObject; paging: Paging } {
  return style === "keyset"
    ? { query: {}, paging: { style } }
    : { query: { at: 0 }, paging: { style, list: "items" } };
}

/** The place of the page that is asked for. */
export function placeOf({ style, pages }: ListedPages, query: URLSearchParams): number {
  const before = query.get("before_id");
  if (style === "links.next") return Number(query.get("at"));
  return before === null ? 0 : pages.length - Math.ceil(Number(before) / 10) + 1;
}

/** The answer that is a page; undefined where it fails. */
export function answerAt(list: ListedPages, place: number): JsonObject | undefined {
  const { size, kind } = list.pages[place] ?? { size: 0, kind: "fails" };
  if (kind === "fails") return undefined;
  const highest = 10 * (list.pages.length - place);
  const items = Array.from({ length: size }, (_, at) => ({
    id: `${place}.${at}`,
    number: highest - at,
  }));
  const isLast = place === list.pages.length - 1;
  const next = isLast ? 0 : place + 1;
  return {
    items: kind === "good" ? items : "none",
    has_more: !isLast,
    next_before_id: isLast ? null : (items.at(-1)?.number ?? highest),
    links: { next: isLast && !list.leadsBack ? null : `?at=${next}` },
  };
}

/** What a module sees that reads page after page, each when it needs it, and stops after so many items. */
export interface Seen {
  readonly items: readonly string[];
  /** Whether it reaches something that is wrong. */
  readonly fails: boolean;
  /** Pages that it needs. */
  readonly pages: number;
  /** Whether the page where it stops says that another one follows. */
  readonly more: boolean;
}

export function seenOf(list: ListedPages, take: number): Seen {
  const items: string[] = [];
  if (take === 0) return { items, fails: false, pages: 0, more: false };
  for (const [place, { size, kind }] of list.pages.entries()) {
    const pages = place + 1;
    if (kind !== "good") return { items, fails: true, pages, more: false };
    for (let at = 0; at < size; at++) {
      items.push(`${place}.${at}`);
      if (items.length === take)
        return { items, fails: false, pages, more: pages < list.pages.length };
    }
  }
  return { items, fails: list.leadsBack, pages: list.pages.length, more: false };
}
