import fc from "fast-check";
import type { Paging } from "../../src/source/client/paging.ts";
import type { Query } from "../../src/source/query.ts";
import type { JsonObject } from "../../src/text/json.ts";

/** A list as a service answers it, page by page; some of its pages are bad. */
export interface ListedPages {
  readonly style: Paging["style"];
  readonly pages: readonly {
    readonly size: number;
    readonly kind: "good" | "fails" | "malformed";
  }[];
  /** The last page names the first one as the next; only where pages are linked, and of two pages or more. */
  readonly leadsBack: boolean;
}

const STYLES = ["keyset", "links.next", "page", "offset", "link", "next"] as const;
const PLACED: readonly string[] = ["page", "offset"];
const LINKED: readonly string[] = ["links.next", "link", "next"];

export const listedPages: fc.Arbitrary<ListedPages> = fc
  .record({
    style: fc.constantFrom<Paging["style"][]>(...STYLES),
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
  .map(({ style, pages, leadsBack }) => ({
    style,
    // Of pages that are found by their place, an empty one must be the last.
    pages: pages.map(({ size, kind }) => ({
      size: PLACED.includes(style) ? size || 1 : size,
      kind,
    })),
    leadsBack: leadsBack && LINKED.includes(style) && pages.length > 1,
  }));

/** What `client.pages` is given for it. */
export function questionFor({ style }: ListedPages): {
  query: Query & JsonObject;
  paging: Paging & JsonObject;
} {
  if (style === "keyset") return { query: {}, paging: { style } };
  const list = "items";
  if (style === "page")
    return { query: {}, paging: { style, list, param: "at", first: 0, more: "has_more" } };
  if (style === "offset") return { query: {}, paging: { style, list, more: "has_more" } };
  return { query: { at: 0 }, paging: { style, list } };
}

/** The place of the page that is asked for. */
export function placeOf({ style, pages }: ListedPages, query: URLSearchParams): number {
  if (style === "offset") {
    const offset = Number(query.get("offset"));
    return pages.findIndex((_, place) => startOf(pages, place) === offset);
  }
  if (style !== "keyset") return Number(query.get("at"));
  const before = query.get("before_id");
  return before === null ? 0 : pages.length - Math.ceil(Number(before) / 10) + 1;
}

function startOf(pages: ListedPages["pages"], place: number): number {
  return pages.slice(0, place).reduce((sum, { size }) => sum + size, 0);
}

/** The answer that is a page; undefined where it fails. */
export function answerAt(list: ListedPages, place: number): JsonObject | undefined {
  const { style, pages } = list;
  const { size, kind } = pages[place] ?? { size: 0, kind: "fails" };
  if (kind === "fails") return undefined;
  const highest = 10 * (pages.length - place);
  const rows = Array.from({ length: size }, (_, at) => ({
    id: `${place}.${at}`,
    number: highest - at,
  }));
  const items = kind === "good" ? rows : "none";
  const more = place < pages.length - 1;
  if (style === "link") return { items };
  if (style === "next") return { items, next: nextAt(list, place) ?? null, previous: null };
  if (style === "links.next") return { items, links: { next: nextAt(list, place) ?? null } };
  if (style !== "keyset") return { items, has_more: more };
  const cursor = more ? (rows.at(-1)?.number ?? highest) : null;
  return { items, has_more: more, next_before_id: cursor };
}

function nextAt({ pages, leadsBack }: ListedPages, place: number): string | undefined {
  if (place < pages.length - 1) return `?at=${place + 1}`;
  return leadsBack ? "?at=0" : undefined;
}

/** The headers of that answer. */
export function headersAt(list: ListedPages, place: number): { link?: string } {
  const next = list.style === "link" ? nextAt(list, place) : undefined;
  return next === undefined ? {} : { link: `<${next}>; rel="next"` };
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
