import type { JsonObject } from "../../text/json.ts";
import { BodyError, type FetchError, fetchError } from "../fetch_error.ts";
import { type Query, queryText } from "../query.ts";
import { firstQuery, type Paging, parsePage } from "./paging.ts";
import type { Receiver } from "./receive.ts";
import { SeenItems } from "./seen_items.ts";

/** A million items at 200 a page. */
const MAX_PAGES = 5_000;

export interface ListFacts {
  readonly path: string;
  readonly query: Query;
  readonly paging: Paging;
  readonly receiver: Receiver;
  /** For messages. */
  readonly sourceName: string;
  readonly record: (error: unknown) => unknown;
}

/** The items of a list: see `AlarmClient.pages`. */
export async function* listPages<T = JsonObject>(
  facts: ListFacts,
): AsyncGenerator<T, void, undefined> {
  const { path, query: listQuery, paging, receiver, record } = facts;
  const invalid = (reason: string): FetchError =>
    fetchError({ path, source: facts.sourceName }, { kind: "response", status: 200, reason });
  let earlier: SeenItems | undefined;
  for (const fresh of [false, true]) {
    const seen = new SeenItems();
    const requested = new Set<string>();
    let query = firstQuery(listQuery, paging);
    let receivePage = () => receiver.receive({ path, query, fresh });
    try {
      for (;;) {
        requested.add(queryText(query));
        const { idFields, received } = seen;
        const page = parsePage<Awaited<T>>(await receivePage(), paging, {
          path,
          query,
          idFields,
          received,
        });
        const { items, next, repeatedReason } = page;
        const repeated = seen.add(page) ? repeatedReason : undefined;
        const error = next && (repeated ?? loopError(queryText(next), requested));
        // The next page is requested before the module gets the items of this one.
        if (next !== undefined && error === undefined)
          receivePage = receiver.receiveAhead({ path, query: next, fresh });
        for (const item of items) if (!earlier?.has(item)) yield item;
        if (error !== undefined) throw new BodyError(error);
        if (next === undefined) break;
        query = next;
      }
    } catch (error) {
      if (!(error instanceof BodyError)) throw error;
      throw record(invalid(`page ${requested.size}: ${error.message}`));
    }
    const shortage = seen.shortage();
    if (shortage === undefined) return;
    // Once, the list may have changed between two requests.
    if (fresh) record(invalid(`read twice, ${shortage}; check the service`));
    earlier = seen;
  }
}

/** An endless list must end somewhere. */
function loopError(next: string, requested: ReadonlySet<string>): string | undefined {
  if (requested.has(next)) return `pagination loop: the next page, ?${next}, was already read`;
  return requested.size < MAX_PAGES ? undefined : `the list has more than ${MAX_PAGES} pages`;
}
