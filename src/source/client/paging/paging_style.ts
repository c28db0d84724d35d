import type { JsonObject } from "../../../text/json.ts";
import type { Query } from "../../query.ts";

/** All options of all styles; each style takes some of them. A key may be a path such as `page.total`. */
export interface PagingOptions {
  /** The key of the list. */
  readonly list?: string | undefined;
  /** The key of an item's id, by which items are told apart; else `id`. */
  readonly id?: string | undefined;
  /** The query parameter that says which page. */
  readonly param?: string | undefined;
  /** The number of the first page; else 1. */
  readonly first?: number | undefined;
  /** The key of the number of all items. */
  readonly total?: string | undefined;
  /** The key of the number of pages. */
  readonly pages?: string | undefined;
  /** The key that is true while there are further pages. */
  readonly more?: string | undefined;
}

/** One way to divide a list into pages. */
export interface PagingStyle {
  /** How a module writes it, for messages. */
  readonly form: string;
  readonly options: readonly (keyof PagingOptions)[];
  readonly required?: readonly (keyof PagingOptions)[];
  /** The key of the list if the module names none; without it, the response itself is the list. */
  readonly list?: string;
  /** An item that goes while the list is read may move others to a page that was already read. */
  readonly mayShift: boolean;
  /** What is wrong with the module's own query. */
  queryFault?(query: Query, options: PagingOptions): string | undefined;
  /** The query of the first page; without it, that of the module. */
  firstQuery?(query: Query, options: PagingOptions): Query;
  /**
   * Throws BodyError for a page that does not say how the list continues, or is in another order: what it leaves out
   * would look gone.
   */
  readPage(response: PageResponse, asked: AskedPage): PageFacts;
}

export interface PageResponse {
  readonly value: unknown;
  /** See `ResponseHeaders`, which the types of modules must not lead to: it needs those of Node. */
  readonly headers: { readonly link?: string | undefined; readonly total?: string | undefined };
}

/** What was asked for, and what the pages before have shown. */
export interface AskedPage {
  /** Of the list. */
  readonly path: string;
  readonly query: Query;
  readonly options: PagingOptions;
  /** Of this page. */
  readonly items: readonly JsonObject[];
  /** Of the page before. */
  readonly idFields: readonly string[] | undefined;
  /** Items on the pages before. */
  readonly received: number;
}

/** What a page says of its list. */
export interface PageFacts {
  /** The query of the next page; undefined at the end of the list. */
  readonly next: Query | undefined;
  /** Items of the whole list, as far as the service says. */
  readonly count: ServiceCount | undefined;
  /** Fields that may be the id of an item; undefined until a page shows them. Those of the options if it is absent. */
  readonly idFields?: readonly string[] | undefined;
  /** There are pages before this one. */
  readonly hasEarlier: boolean;
  /** Why a page with the items of the page before is an error unless it is the last; undefined where it is not. */
  readonly repeatedReason?: string | undefined;
}

export interface Page<Item = JsonObject> extends PageFacts, Pick<PagingStyle, "mayShift"> {
  /** That they are objects is checked; what else they are is the module's claim. */
  readonly items: readonly Item[];
}

export interface ServiceCount {
  readonly items: number;
  /** Where the service says it, for messages. */
  readonly key: string;
}
