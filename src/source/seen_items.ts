import { createHash } from "node:crypto";
import type { JsonObject } from "../text/json.ts";
import type { Page, ServiceCount } from "./paging/paging_style.ts";

/** What one reading of a list has shown. */
export class SeenItems {
  /** Not the items: a list can have a hundred thousand. */
  readonly #keys = new Set<string>();
  /** Equal items of one page are several; one that comes again on a later page has moved. */
  #size = 0;
  /** Of the whole list. It may change while the list is read, so the lowest one counts. */
  #lowest: ServiceCount | undefined;
  #isWhole: boolean | undefined;
  idFields: readonly string[] | undefined;
  /** Items of all pages, also those that came before. */
  received = 0;

  /** Returns how many of the page's items no page before it had. */
  add({ items, count, idFields, hasEarlier }: Page): number {
    if (count !== undefined && count.items < (this.#lowest?.items ?? Number.POSITIVE_INFINITY))
      this.#lowest = count;
    this.#isWhole ??= !hasEarlier;
    this.idFields = idFields;
    this.received += items.length;
    const keys = items.map((item) => this.#keyOf(item));
    const added = keys.filter((key) => !this.#keys.has(key)).length;
    this.#size += added;
    for (const key of keys) this.#keys.add(key);
    return added;
  }

  has(item: JsonObject): boolean {
    return this.#keys.has(this.#keyOf(item));
  }

  /** Why a list that was read to its end cannot have been the whole one. */
  shortage(): string | undefined {
    // The service counts the whole list, wherever the module began to read.
    if (this.#lowest === undefined || !this.#isWhole || this.#size >= this.#lowest.items)
      return undefined;
    const { items, key } = this.#lowest;
    return `the list ended after ${this.#size} items, but no page counted fewer than ${items} (${key})`;
  }

  /** Without a known id, an item that changes between two readings counts as another one. */
  #keyOf(item: JsonObject): string {
    const [name = ""] = this.idFields ?? [];
    const id = item[name];
    if (typeof id === "string" || typeof id === "number") return `${name} ${id}`;
    return createHash("sha256").update(JSON.stringify(item)).digest("base64");
  }
}
