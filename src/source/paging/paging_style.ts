import type { JsonObject } from "../../text/json.ts";
import type { Query } from "../query.ts";

/** All options of all styles; each style takes some of them. A key may be a path such as `page.total`. */
export interface PagingOptions {
  /** The key of the list. */
  readonly list?: string | undefined;
  /** The key of an item's id, by which items are told apart. */
  readonly id?: string | undefined;
  /** The query parameter that says which page. */
  readonly param?: string | undefined;
  /** The number of the first page. */
  readonly first?: number | undefined;
  /** The key of the number of all items. */
  readonly total?: string | undefined;
  /** The key of the number of pages. */
  readonly pages?: string | undefined;
  /** The key that is true while there are further pages. */
  readonly more?: string | undefined;
}

/** The id of an item, where the module names no other; items without it are told apart by their content. */
export const ITEM_ID = "id";

/** One way to divide a list into pages. */
export interface PagingStyle {
  /** How a module writes it, for messages. */
  readonly form: string;
  readonly options: readonly (keyof PagingOptions)[];
  readonly required?: readonly (keyof PagingOptions)[];
  /** What is wrong with the module's own query. */
  queryFault?(query: Query, options: PagingOptions): string | undefined;
  /** The query of the first page. */
  firstQuery(query: Query, options: PagingOptions): Query;
  /**
   * Throws BodyError for a page that has no list, does not say how the list continues, or is in another order:
   * what it leaves out would look gone.
   */
  parse<T>(response: PageResponse, asked: AskedPage): Page<T & JsonObject>;
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
  /** Of the page before. */
  readonly idFields: readonly string[] | undefined;
  /** Items on the pages before. */
  readonly received: number;
}

export interface Page<Item = JsonObject> {
  /** That they are objects is checked; what else they are is the module's claim. */
  readonly items: readonly Item[];
  /** The query of the next page; undefined at the end of the list. */
  readonly next: Query | undefined;
  /** Items of the whole list, as far as the service says. */
  readonly count: ServiceCount | undefined;
  /** Fields that may be the id of an item; undefined until a page shows them. */
  readonly idFields: readonly string[] | undefined;
  /** There are pages before this one. */
  readonly hasEarlier: boolean;
  /** An item that goes while the list is read may move others to a page that was already read. */
  readonly mayShift: boolean;
  /** Why a page with the items of the page before is an error unless it is the last; undefined where it is not. */
  readonly repeatedReason?: string | undefined;
}

export interface ServiceCount {
  readonly items: number;
  /** Where the service says it, for messages. */
  readonly key: string;
}
