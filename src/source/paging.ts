import { cut, quote } from "../text/describe.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../text/json.ts";

/** Query parameters; null and undefined ones are left out. */
export interface Query {
  readonly [name: string]: string | number | boolean | null | undefined;
}

/** How a list is cut into pages. */
export type Paging =
  /** PanDA's: `{ items, has_more, next_before_id }`, continued with `before_id`, ids descending. */
  | { readonly style: "keyset"; readonly list?: string }
  /** GraceDB's: `{ <list>, links: { next } }`, continued with the query of `links.next`. */
  | { readonly style: "links.next"; readonly list: string };

export const KEYSET: Paging = { style: "keyset" };

/** The proxy refuses more. */
export const PAGE_SIZE = 200;

export interface Page {
  readonly items: readonly JsonObject[];
  /** The query of the next page; undefined at the end of the list. */
  readonly next: Query | undefined;
}

export type ParsedPage =
  | { readonly ok: true; readonly page: Page }
  | { readonly ok: false; readonly fault: string };

/** The first question of a list: the page size is asked for unless the module chose one. */
export function firstQuery(query: Query, paging: Paging): Query {
  return paging.style === "keyset" ? { ...query, limit: query.limit ?? PAGE_SIZE } : query;
}

/**
 * One answer as a page. A page that does not say how the list goes on, or goes on where it has been,
 * is a fault: taking it for the end would make entities look gone.
 */
export function parsePage(answer: JsonValue, asked: Query, paging: Paging): ParsedPage {
  const listKey = paging.list ?? "items";
  if (!isJsonObject(answer))
    return fault(`the answer is ${kind(answer)}, not an object with ${listKey}`);
  const items = answer[listKey];
  if (!Array.isArray(items)) return fault(`${listKey} is ${kind(items)}, not a list`);
  const objects: JsonObject[] = [];
  for (const [index, item] of items.entries()) {
    if (!isJsonObject(item)) return fault(`${listKey}[${index}] is ${kind(item)}, not an object`);
    objects.push(item);
  }
  const next = paging.style === "keyset" ? nextKeyset(answer, asked) : nextLink(answer, asked);
  return next.ok ? { ok: true, page: { items: objects, next: next.query } } : next;
}

type Next =
  | { readonly ok: true; readonly query: Query | undefined }
  | { readonly ok: false; readonly fault: string };

function nextKeyset(answer: JsonObject, asked: Query): Next {
  const { has_more: more, next_before_id: cursor } = answer;
  if (more === false) return { ok: true, query: undefined };
  if (more === undefined && cursor === null) return { ok: true, query: undefined };
  if (more !== true && more !== undefined)
    return fault(`has_more is ${kind(more)}, not true or false`);
  if (typeof cursor !== "number" || !Number.isSafeInteger(cursor)) {
    return fault(`next_before_id is ${kind(cursor)} although the list has not ended`);
  }
  const before = asked.before_id;
  if (typeof before === "number" && cursor >= before) {
    return fault(
      `next_before_id is ${cursor} after before_id ${before}: the cursor does not move down`,
    );
  }
  return { ok: true, query: { ...asked, before_id: cursor } };
}

/**
 * Only the query of the link is taken: host, scheme and path stay those of the question, so that no
 * answer can send the engine, and its token, to another place.
 */
function nextLink(answer: JsonObject, asked: Query): Next {
  const { links } = answer;
  if (!isJsonObject(links)) return fault(`links is ${kind(links)}, not an object with next`);
  const { next } = links;
  if (next === null) return { ok: true, query: undefined };
  if (typeof next !== "string" || !URL.canParse(next, "http://relative.invalid")) {
    return fault(`links.next is ${kind(next)}, neither a link nor null`);
  }
  const link = new URL(next, "http://relative.invalid");
  const query = { ...asked, ...Object.fromEntries(link.searchParams) };
  if (queryText(query) === queryText(asked))
    return fault(`links.next asks again for ${cut(link.search, 200)}: the cursor does not move`);
  return { ok: true, query };
}

/** The query as it goes into the URL, sorted: the same question is always the same text. */
export function queryText(query: Query): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.append(name, String(value));
  }
  params.sort();
  return params.toString();
}

function kind(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return cut(quote(value), 41);
}

function fault(text: string): { readonly ok: false; readonly fault: string } {
  return { ok: false, fault: text };
}
