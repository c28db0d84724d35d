import { unescapeKey } from "../core/detection.ts";
import { inTime } from "../core/in_time.ts";
import { MAIN_SOURCE } from "../core/main_source.ts";
import { errorText, quote } from "../text/describe.ts";
import type { JsonValue } from "../text/json.ts";
import { hint } from "../text/nearest.ts";
import type { AlarmClient } from "./client.ts";
import { BodyError, fetchError } from "./fetch_error.ts";
import { firstQuery, KEYSET, parsePage, queryText, requestFault } from "./paging.ts";
import { parseJson } from "./parse_json.ts";
import type { Requester, SourceRequest } from "./requester.ts";
import { SeenItems } from "./seen_items.ts";

/** A million items at 200 a page. */
const MAX_PAGES = 5_000;

export interface ClientFacts {
  readonly sources: ReadonlyMap<string, Requester>;
  /** Epoch seconds of the tick. */
  readonly now: number;
  readonly signal: AbortSignal;
  readonly log: (message: string) => void;
  /** The dedupe keys of the alarm's active events. */
  readonly firing: () => Promise<readonly string[]>;
  /** Called with every reason why the module did not see everything. */
  readonly onIncomplete: (reason: string) => void;
  /** Called with 1 when the module begins to wait for a response, and with -1 when it has it. */
  readonly onWait: (change: 1 | -1) => void;
}

/** The client for one run of one alarm's `detect`. */
export function makeClient(facts: ClientFacts, sourceName: string = MAIN_SOURCE): AlarmClient {
  const { sources, now, signal, log, firing, onIncomplete, onWait } = facts;
  const source = sources.get(sourceName) ?? missingSource(sourceName);
  /** Every error is recorded before the module can catch it. */
  const record = (error: unknown): unknown => {
    onIncomplete(errorText(error));
    return error;
  };
  const check = (fault: string | undefined): void => {
    if (fault !== undefined) throw record(new Error(fault));
  };
  const receive = async (
    request: SourceRequest,
    ahead?: Promise<Buffer | undefined>,
  ): Promise<JsonValue | undefined> => {
    const { path, query } = request;
    check(requestFault(path, query));
    onWait(1);
    try {
      const body = await inTime(ahead ?? source.request(request), signal);
      return body && parseJson(body.toString());
    } catch (error) {
      if (!(error instanceof BodyError)) throw record(error);
      const url = `${path}?${queryText(query)}`.replace(/\?$/, "");
      const reason = `status 200, but ${error.message}`;
      source.reportInvalid?.(path, query, reason);
      throw record(fetchError(url, sourceName, reason));
    } finally {
      onWait(-1);
    }
  };
  const get = async (request: SourceRequest): Promise<JsonValue> =>
    (await receive(request)) ?? null;
  const getAhead = (request: SourceRequest): (() => Promise<JsonValue>) => {
    const response = source.request({ ...request, ahead: true });
    // If it fails before it is needed, the rejection would be unhandled and end the process.
    response.catch(() => {});
    return async () => {
      const needed = response.catch(() => source.request(request));
      return (await receive(request, needed)) ?? null;
    };
  };
  return {
    now,
    signal,
    log,
    incomplete: (reason) => onIncomplete(String(reason)),
    firing: async () => (await inTime(firing(), signal)).map(unescapeKey),
    get: (path, query = {}) => get({ path, query }),
    find: (path, query = {}) => receive({ path, query, allow404: true }),
    source: (name) => {
      check(typeof name === "string" ? undefined : `the source is ${quote(name)}, not a name`);
      if (!sources.has(name)) throw record(new Error(notConfigured(name, [...sources.keys()])));
      return makeClient(facts, name);
    },
    pages: async function* (path, listQuery = {}, paging = KEYSET) {
      check(requestFault(path, listQuery, paging));
      let earlier: SeenItems | undefined;
      for (const fresh of [false, true]) {
        const seen = new SeenItems();
        const requested = new Set<string>();
        let query = firstQuery(listQuery, paging);
        let receivePage = (): Promise<JsonValue> => get({ path, query, fresh });
        try {
          for (;;) {
            requested.add(queryText(query));
            const page = parsePage(await receivePage(), query, paging, seen.idFields);
            const { items, next } = page;
            seen.add(page);
            const error = next && loopError(queryText(next), requested);
            // The next page is requested before the module gets the items of this one.
            if (next !== undefined && error === undefined)
              receivePage = getAhead({ path, query: next, fresh });
            for (const item of items) if (!earlier?.has(item)) yield item;
            if (error !== undefined) throw new BodyError(error);
            if (next === undefined) break;
            query = next;
          }
        } catch (error) {
          if (!(error instanceof BodyError)) throw error;
          const reason = `page ${requested.size}: ${error.message}`;
          throw record(fetchError(path, sourceName, reason));
        }
        const shortage = seen.shortage(listQuery, paging);
        if (shortage === undefined) return;
        // Once, the list may have changed between two requests.
        if (fresh)
          record(fetchError(path, sourceName, `read twice, ${shortage}; check the service`));
        earlier = seen;
      }
    },
  };
}

/** An endless list must end somewhere. */
function loopError(next: string, requested: ReadonlySet<string>): string | undefined {
  if (requested.has(next)) return `pagination loop: the next page, ?${next}, was already read`;
  return requested.size < MAX_PAGES ? undefined : `the list has more than ${MAX_PAGES} pages`;
}

/** Fails each request, so that a module without a service still loads and runs. */
function missingSource(name: string): Requester {
  return {
    request: async ({ path }) => {
      throw fetchError(path, name, notConfigured(name));
    },
  };
}

function notConfigured(name: string, known: readonly string[] = []): string {
  return name === MAIN_SOURCE
    ? "the main service is not configured; set [engine] base_url"
    : `the source ${JSON.stringify(name)} is not configured${hint(name, known)}; add [sources.${name}] with its base_url`;
}
