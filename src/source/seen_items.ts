import { createHash } from "node:crypto";
import type { JsonObject } from "../text/json.ts";
import type { Page, Paging } from "./paging.ts";
import type { Query } from "./query.ts";

/** What one reading of a list has shown. */
export class SeenItems {
  /** Not the items: a list can have a hundred thousand. */
  readonly #keys = new Set<string>();
  /** Equal items of one page are several; one that comes again on a later page has moved. */
  #size = 0;
  /** Of the whole list. It may change while the list is read, so the lowest one counts. */
  #lowestCount: number | undefined;
  idFields: Page["idFields"];

  add({ items, count, idFields }: Page): void {
    if (count !== undefined) this.#lowestCount = Math.min(this.#lowestCount ?? count, count);
    this.idFields = idFields;
    const keys = items.map((item) => this.#keyOf(item));
    this.#size += keys.filter((key) => !this.#keys.has(key)).length;
    for (const key of keys) this.#keys.add(key);
  }

  has(item: JsonObject): boolean {
    return this.#keys.has(this.#keyOf(item));
  }

  /** Why a list that was read to its end cannot have been the whole one. */
  shortage(query: Query, { style }: Paging): string | undefined {
    const [start, field] =
      style === "keyset" ? [query.before_id, "total_count"] : [query.start, "numRows"];
    // The service counts the whole list, wherever the module began to read.
    if (Number(start ?? 0) > 0 || this.#size >= (this.#lowestCount ?? 0)) return undefined;
    return `the list ended after ${this.#size} items, but no page counted fewer than ${this.#lowestCount} (${field})`;
  }

  /** Without a known id, an item that changes between two readings counts as another one. */
  #keyOf(item: JsonObject): string {
    const name = this.idFields?.[0];
    if (name !== undefined) return `${name} ${item[name]}`;
    return createHash("sha256").update(JSON.stringify(item)).digest("base64");
  }
}
