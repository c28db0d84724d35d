import { createHash } from "node:crypto";
import type { JsonObject } from "../../text/json.ts";
import type { Page, ServiceCount } from "./paging/paging_style.ts";

/** What one reading of a list has shown. */
export class SeenItems {
  /** Not the items: a list can have a hundred thousand. */
  readonly #keys = new Set<string>();
  #size = 0;
  /**
   * Items that must have been seen. The count may change while the list is read, so the lowest one counts; but where an
   * item that goes can hide another one, all that were there in the beginning must have been seen.
   */
  #needed: ServiceCount | undefined;
  #mayShift = false;
  /** What tells the items of the newest page apart. */
  #page: string | undefined;
  #isWhole: boolean | undefined;
  idFields: readonly string[] | undefined;
  /** Items of all pages, also those that came before. */
  received = 0;

  /** Returns whether the page has the same items as the one before. */
  add({ items, count, idFields, hasEarlier, mayShift }: Page): boolean {
    const isLower = count !== undefined && count.items < (this.#needed?.items ?? 0);
    if (this.#needed === undefined || (isLower && !mayShift)) this.#needed = count;
    this.#mayShift = mayShift;
    this.#isWhole ??= !hasEarlier;
    this.idFields = idFields;
    this.received += items.length;
    const keys = items.map((item) => this.#keyOf(item));
    const fresh = keys.filter((key) => !this.#keys.has(key));
    const ids = fresh.filter(isId);
    // Equal items of one page without an id are several; one that comes again on a later page has moved.
    this.#size += fresh.length - ids.length + new Set(ids).size;
    for (const key of fresh) this.#keys.add(key);
    const page = keys.join();
    const isSame = page === this.#page;
    this.#page = page;
    return isSame;
  }

  has(item: JsonObject): boolean {
    return this.#keys.has(this.#keyOf(item));
  }

  /** Why a list that was read to its end cannot have been the whole one. */
  shortage(): string | undefined {
    // The service counts the whole list, wherever the module began to read.
    if (this.#needed === undefined || !this.#isWhole || this.#size >= this.#needed.items)
      return undefined;
    const { items, key } = this.#needed;
    const counted = this.#mayShift ? "there were" : "no page counted fewer than";
    return `the list ended after ${this.#size} items, but ${counted} ${items} (${key})`;
  }

  /** By its id; an item without one counts as another one if it changes between two readings. */
  #keyOf(item: JsonObject): string {
    const [name = ""] = this.idFields ?? [];
    const id = item[name];
    if (typeof id === "string" || typeof id === "number") return JSON.stringify([name, id]);
    return createHash("sha256").update(JSON.stringify(item)).digest("base64");
  }
}

function isId(key: string): boolean {
  return key.startsWith("[");
}
